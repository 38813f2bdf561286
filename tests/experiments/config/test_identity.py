import pytest

from experiments.compose.composition import compose
from experiments.config import identity
from experiments.config.identity import cell, flatten, uncell
from experiments.config.validation import validate
from tests.experiments.datasets.tables import flats
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


def test_where_a_file_lies_is_no_part_of_the_identity_and_what_it_holds_is(tmp_path):
    path = flats(tmp_path)
    (tmp_path / "there").mkdir()
    moved, changed_file = tmp_path / "there" / "moved.csv", tmp_path / "changed.csv"
    moved.write_bytes(path.read_bytes())
    changed_file.write_text(path.read_text().replace("old", "ancient", 1))
    first, same, other = (
        run_id(compose([], ["data=table", f"data.path={file}", "data.target=price", "loss=mse"])[0].config)
        for file in (path, moved, changed_file)
    )
    assert first == same != other


@pytest.mark.parametrize("value", [["a", "b"], ["größe, in cm"], "a", "[no json", "[1", 3, None, True])
def test_a_list_is_one_cell_of_the_table(value):
    assert uncell(cell(value)) == value
    assert not isinstance(cell(value), list)
