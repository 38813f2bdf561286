"""Every prepared sweep opens with its command and runs in miniature."""

import re

import pytest
from omegaconf import OmegaConf

from experiments.composition import compose, jobs_of
from experiments.config import catalogue
from experiments.paths import CONF
from experiments.runner import execute, plan
from experiments.store import load

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
    small = ["width=6", "steps=2", "data.n_samples=40", "batch_size=20", "executor=serial", f"results_dir={tmp_path}"]
    cut = _first_of_each(name)
    if any(override.startswith("depth=") for override in cut):
        cut = [override for override in cut if not override.startswith("depth=")] + ["depth=2,3"]
    composed = compose([], [f"+experiment={name}", *small, *cut])
    assert {entry.experiment for entry in composed} == {name}
    jobs, _ = jobs_of(composed)
    execute(plan(jobs, tmp_path / name), ["test"], progress=False)
    results = load(tmp_path / name)
    assert len(results.runs) == len(jobs)
    assert set(results.runs["status"]) == {"ok"}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_value_of_every_axis_is_valid(name):
    params = OmegaConf.load(CONF / "experiment" / f"{name}.yaml").hydra.sweeper.params
    for key, values in params.items():
        others = [f"{other}={str(first).split(',')[0]}" for other, first in params.items() if other not in (key, "seed")]
        jobs, repeated = jobs_of(compose([], [f"+experiment={name}", "seed=0", *others, *([f"{key}={values}"] if key != "seed" else [])]))
        assert len(jobs) == (1 if key == "seed" else len(str(values).split(",")))
        assert repeated == 0
