import pytest

from experiments.compose.composition import compose
from experiments.config.files import catalogue
from experiments.config.keys import GROUPS
from experiments.config.validation import validate

CHOICES = [(group, name) for group in GROUPS for name in catalogue(group)]

REGRESSIONS = ("chebyshev", "line", "modes", "point")


@pytest.fixture(scope="module")
def default():
    return compose([], ["data.n_samples=50"])[0].config


@pytest.mark.parametrize(("group", "regression"), [*((group, False) for group in GROUPS), ("data", True)])
def test_every_choice_composes_and_validates(group, regression):
    names = [name for own, name in CHOICES if own == group and (own, name) not in {("data", "mnist"), ("data", "table")}]
    if group == "data":
        names = [name for name in names if (name in REGRESSIONS) == regression]
    sweep = [f"{group}={','.join(names)}"] + ["loss=mse"] * regression
    assert [validate(entry.config).choice(group) for entry in compose(["--multirun"], sweep)] == names


def test_defaults_are_the_documented_ones(default):
    documented = {
        "depth": None, "width": 64, "output_activation": "identity", "lr": 0.1, "bias_lr_factor": 1.0, "weight_decay": 0.0,
        "batch_size": None, "steps": None, "epochs": None, "seed": 0, "dtype": "float64", "numerics": "native", "name": None,
        "results_dir": "results",
    }  # fmt: skip
    assert {key: default[key] for key in documented} == documented
    choices = {group: default[group]["name"] for group in GROUPS if group != "executor"}
    assert choices == {
        "activation": "tanh", "init": "fan_in", "normalization": "none", "loss": "softmax_cross_entropy",
        "optimizer": "sgd", "schedule": "constant", "clip": "none", "data": "digits", "record": "light",
        "dropout": "inverted", "skip": "none", "parametrization": "standard",
    }  # fmt: skip
    assert validate(default).steps == 100
    assert (default["init"]["scale"], default["init"]["bias_std"], default["data"]["seed"]) == (1, 0, 0)
