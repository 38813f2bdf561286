import pytest

from experiments.compose.composition import compose
from experiments.config import identity
from experiments.config.identity import flatten
from experiments.config.validation import validate
from tests.experiments.helpers import changed


@pytest.fixture(scope="module")
def default():
    return compose([], ["data.n_samples=50"])[0].config


def run_id(config):
    return validate(config).run_id


def test_integers_and_floats_of_equal_value_are_the_same_run(default):
    assert run_id(changed(default, lr=1)) == run_id(changed(default, lr=1.0))


@pytest.mark.parametrize(
    "changes",
    [{"depth": 6}, {"seed": 1}, {"init__scale": 1.5}, {"data__n_samples": 49}, {"record__every": 2}, {"dtype": "float32"}],
    ids=str,
)
def test_what_changes_a_number_or_a_row_changes_the_identity(default, changes):
    assert run_id(changed(default, **changes)) != run_id(default)


@pytest.mark.parametrize("changes", [{"name": "x"}, {"results_dir": "elsewhere"}], ids=str)
def test_what_changes_nothing_keeps_the_identity(default, changes):
    assert run_id(changed(default, **changes)) == run_id(default)


def test_the_executor_keeps_the_identity(default):
    assert run_id(compose([], ["data.n_samples=50", "executor=serial"])[0].config) == run_id(default)


def test_the_arithmetic_version_changes_the_identity(default, monkeypatch):
    before = run_id(default)
    monkeypatch.setattr(identity, "ARITHMETIC_VERSION", identity.ARITHMETIC_VERSION + 1)
    assert run_id(default) != before


def test_columns_are_dotted_and_leave_out_what_changes_nothing(default):
    columns = flatten(validate(default).config)
    assert columns["activation"] == "tanh"
    assert columns["init.scale"] == 1.0
    assert not {"name", "results_dir", "executor", "activation._target_"} & set(columns)
