import numpy as np
import pandas as pd
import pytest

from experiments.statistics import delta_factor
from experiments.verdicts import judge
from tests.experiments.helpers import sweep


def step0(norms, dead=0.0, saturated=0.0, z_var=1.0, zero=0.0):
    """Layers 0…L at step 0, of which the last is the output."""
    length = len(norms)
    return pd.DataFrame({
        "layer": range(length), "delta_norm": norms, "dead": np.full(length, dead), "saturated": np.full(length, saturated),
        "z_var": np.full(length, z_var), "z_mean": np.zeros(length), "zero": np.full(length, zero),
    })  # fmt: skip


def verdict(norms, diverged=None, **columns):
    frame = step0([1.0, *norms, 1.0], **columns)
    return judge(frame, delta_factor(np.array(norms)), diverged)


@pytest.mark.parametrize(
    ("norms", "name"),
    [
        (4.88 ** -np.arange(5.0, 0, -1), "vanishing"),
        ([0.0657, 0.3092], "vanishing"),
        ([0.0118, 0.0600, 0.2831], "vanishing"),
        ([0.00298, 0.0171, 0.0695, 0.2851], "vanishing"),
        (100.0 ** np.arange(5, 0, -1), "exploding"),
        (np.ones(10), "stable"),
        (0.97 ** np.arange(10, 0, -1.0), "stable"),
        (1.21 ** np.arange(20, 0, -1.0), "exploding"),
        ([0.0, 0.0, 1e-40, 1e-20], "underflowed"),
        ([1.0], "stable"),
    ],
)
def test_by_the_factor_and_the_depth(norms, name):
    assert verdict(norms).name == name


def test_a_walk_without_drift_is_stable():
    walk = np.exp(np.cumsum(np.array([0.9, -1.0, 1.1, -0.8, 1.0, -1.1, 0.9, -0.9])))
    assert verdict(walk).name == "stable"


def test_nan_is_diverged_and_never_vanishing():
    assert verdict([np.nan, np.nan, 0.1], diverged=0).name == "diverged"


def test_a_dead_layer_is_dead_and_not_vanishing():
    assert verdict([0.0, 0.0, 0.0], dead=1.0).name == "dead"


def test_saturation_needs_large_preactivations():
    shrinking = 5.0 ** -np.arange(5.0, 0, -1)
    assert verdict(shrinking, saturated=0.9, z_var=100.0).name == "saturated"
    assert verdict(shrinking, saturated=0.9, z_var=0.5).name == "vanishing"
    assert verdict(shrinking, saturated=0.5, z_var=100.0, zero=0.5).name == "vanishing"


def test_the_reason_speaks_of_the_rate():
    reason = verdict(4.88 ** -np.arange(5.0, 0, -1)).reason
    assert "4.88× per layer" in reason


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        (["activation=sigmoid", "depth=10"], "vanishing"),
        (["activation=relu", "init=he", "init.scale=3", "depth=10"], "exploding"),
        (["activation=identity", "init=orthogonal", "depth=10"], "stable"),
        (["activation=relu", "init=constant", "init.scale=-1", "data.standardize=false"], "dead"),
        (["activation=sigmoid", "dtype=float32", "depth=90"], "underflowed"),
        (["activation=relu", "init.scale=1e200", "depth=5"], "diverged"),
        (["activation=tanh", "init.scale=1", "depth=1"], "stable"),
    ],
    ids=str,
)
def test_real_runs(overrides, name, tmp_path):
    results = sweep(tmp_path, *overrides, "width=32", "steps=0", multirun=False)
    assert results.runs["verdict"].tolist() == [name]
