import pytest
from omegaconf import OmegaConf

from experiments.compose.composition import compose
from experiments.config import keys
from experiments.config.keys import GROUPS, build, catalogue, flatten, output_activation, run_id
from experiments.config.paths import CONF
from experiments.config.validation import validate
from tests.experiments.helpers import changed

CHOICES = [(group, name) for group in GROUPS for name in catalogue(group)]

REGRESSIONS = ("chebyshev", "line", "modes", "point")


@pytest.fixture(scope="module")
def default():
    return compose([], ["data.n_samples=50"])[0].config


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_every_conf_file_names_itself(group, name):
    assert OmegaConf.load(CONF / group / f"{name}.yaml").name == name


@pytest.mark.parametrize(("group", "name"), [choice for choice in CHOICES if choice[0] != "record" and choice != ("data", "mnist")])
def test_every_conf_file_builds(group, name):
    node = OmegaConf.to_container(OmegaConf.load(CONF / group / f"{name}.yaml"))
    built = build(node)
    if group not in ("data", "executor"):
        assert built.name == name


@pytest.mark.parametrize(("group", "regression"), [*((group, False) for group in GROUPS), ("data", True)])
def test_every_choice_composes_and_validates(group, regression):
    names = [name for own, name in CHOICES if own == group and (own, name) != ("data", "mnist")]
    if group == "data":
        names = [name for name in names if (name in REGRESSIONS) == regression]
    sweep = [f"{group}={','.join(names)}"] + ["loss=mse"] * regression
    assert [validate(entry.config)[group]["name"] for entry in compose(["--multirun"], sweep)] == names


def test_defaults_are_the_documented_ones(default):
    documented = {
        "depth": 5, "width": 64, "output_activation": "identity", "lr": 0.1, "bias_lr_factor": 1.0, "weight_decay": 0.0,
        "batch_size": None, "steps": 100, "seed": 0, "dtype": "float64", "numerics": "native", "name": None, "results_dir": "results",
    }  # fmt: skip
    assert {key: default[key] for key in documented} == documented
    choices = {group: default[group]["name"] for group in GROUPS if group != "executor"}
    assert choices == {
        "activation": "tanh", "init": "fan_in", "normalization": "none", "loss": "softmax_cross_entropy",
        "optimizer": "sgd", "clip": "none", "data": "digits", "record": "light",
    }  # fmt: skip
    assert (default["init"]["scale"], default["init"]["bias_std"], default["data"]["seed"]) == (1, 0, 0)


class TestIdentity:
    def test_integers_and_floats_of_equal_value_are_the_same_run(self, default):
        assert run_id(validate(changed(default, lr=1))) == run_id(validate(changed(default, lr=1.0)))

    @pytest.mark.parametrize(
        "changes",
        [{"depth": 6}, {"seed": 1}, {"init__scale": 1.5}, {"data__n_samples": 49}, {"record__every": 2}, {"dtype": "float32"}],
        ids=str,
    )
    def test_what_changes_a_number_or_a_row_changes_the_identity(self, default, changes):
        assert run_id(validate(changed(default, **changes))) != run_id(validate(default))

    @pytest.mark.parametrize("changes", [{"name": "x"}, {"results_dir": "elsewhere"}], ids=str)
    def test_what_changes_nothing_keeps_the_identity(self, default, changes):
        assert run_id(validate(changed(default, **changes))) == run_id(validate(default))

    def test_the_executor_keeps_the_identity(self, default):
        other = compose([], ["data.n_samples=50", "executor=serial"])[0].config
        assert run_id(validate(other)) == run_id(validate(default))

    def test_the_arithmetic_version_changes_the_identity(self, default, monkeypatch):
        before = run_id(validate(default))
        monkeypatch.setattr(keys, "ARITHMETIC_VERSION", keys.ARITHMETIC_VERSION + 1)
        assert run_id(validate(default)) != before


def test_columns_are_dotted_and_leave_out_what_changes_nothing(default):
    columns = flatten(validate(default))
    assert columns["activation"] == "tanh"
    assert columns["init.scale"] == 1.0
    assert not {"name", "results_dir", "executor", "activation._target_"} & set(columns)


def test_the_output_activation_has_its_defaults():
    assert output_activation("leaky_relu")["alpha"] == 0.1
