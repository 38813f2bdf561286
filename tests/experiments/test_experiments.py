"""Every prepared sweep opens with its command and runs in miniature."""

import copy
import re

import pytest
import yaml
from omegaconf import OmegaConf

from experiments.compose.composition import compose, runs_of
from experiments.config.files import catalogue, choice
from experiments.config.keys import GROUPS
from experiments.config.paths import CONF
from experiments.config.validation import validate
from experiments.store.reading import load
from experiments.sweep.execution import execute
from experiments.sweep.plan import plan

EXPERIMENTS = catalogue("experiment")


def test_the_promised_sweeps_exist():
    promised = {"depth_by_activation", "init_scale", "learning_rate", "clipping", "batch_normalization", "learning_speed", "overview"}
    assert promised <= set(EXPERIMENTS)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_file_opens_with_the_command_that_runs_it(name):
    header = (CONF / "experiment" / f"{name}.yaml").read_text().splitlines()[:2]
    assert header == ["# @package _global_", f"# gradstab run +experiment={name}"]


def _first_of_each(name):
    """Return overrides that cut every swept axis to its first two values, and the seeds to one."""
    params = OmegaConf.load(CONF / "experiment" / f"{name}.yaml").hydra.sweeper.params
    return [f"{key}={'0' if key == 'seed' else ','.join(re.split(',', str(values))[:2])}" for key, values in params.items()]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_it_runs_in_miniature(name, tmp_path):
    small = [
        "width=6",
        "depth=null",
        "steps=2",
        "epochs=null",
        "data.n_samples=40",
        "batch_size=20",
        "executor=serial",
        f"results_dir={tmp_path}",
    ]
    cut = _first_of_each(name)
    cut = [override for override in cut if not override.startswith("depth=")] + ["depth=2,3"]
    composed = compose([], [f"+experiment={name}", *small, *cut])
    assert {entry.experiment for entry in composed} == {name}
    runs, _ = runs_of(composed)
    execute(plan(runs, tmp_path / name), ["test"], progress=False)
    results = load(tmp_path / name)
    assert len(results.runs) == len(runs)
    assert set(results.runs["status"]) == {"ok"}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_value_of_every_axis_is_valid(name):
    params = OmegaConf.load(CONF / "experiment" / f"{name}.yaml").hydra.sweeper.params
    axes = {key: [yaml.safe_load(value) for value in str(values).split(",")] for key, values in params.items() if key != "seed"}
    base = compose([], [f"+experiment={name}", "seed=0", *(f"{key}={values[0]}" for key, values in axes.items())])[0].config
    for key, values in axes.items():
        assert len(set(values)) == len(values)
        group, _, leaf = key.partition(".")
        for value in values:
            config = copy.deepcopy(base)
            if leaf:
                config[group][leaf] = value
            elif group in GROUPS:
                config[group] = choice(group, value)
            else:
                config[group] = value
            validate(config)
