"""Spectra of Jacobians with the published spread, and others."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.atlas.catalogue import select
from experiments.findings.finding import Estimate
from experiments.store.tables import Results
from tests.experiments.findings.tables import results, run

SPREAD = select(["f_isometry"])[0].finding.values["spread"]
KINDS = {"linear": ("identity", "fan_in", 4), "relu_gaussian": ("relu", "he", 6), "relu_orthogonal": ("relu", "orthogonal", 6)}
N = 101


def spectrum(spread: float, largest: float) -> np.ndarray:
    """Return s² of mean 1 with this variance over the squared mean: one of them is the largest, the others are 0 or equal."""
    rest = N - 1
    others, needed = N - largest, N * (1 + spread) - largest**2  # their sum and sum of squares
    count = round(min(rest, others**2 / needed))
    return np.concatenate([[largest], np.full(count, others / count), np.zeros(rest - count)])


def net(folder: Path, name: str, spread: float, seed: int, depth: int, activation: str, init: str) -> dict[str, object]:
    largest = 12.2 if name == "linear" else 1.05
    s2 = spectrum(spread, largest)
    state: dict[str, np.ndarray] = {f"W{l}": np.eye(N) for l in range(2, depth + 1)} | {"W1": np.diag(np.sqrt(s2))}
    slope = {"tanh": 1e-9, "relu": 1.0, "identity": 1.0}[activation]
    np.savez(folder / f"snapshot_run{seed:04d}.npz", **state, **{f"z{l}": np.full((N, 1), slope) for l in range(1, depth + 1)})
    return run(np.ones(depth + 1), activation=activation, init=init, seed=seed)


def sweeps(folder: Path, **by: float) -> dict[str, Results]:
    found = {}
    for name, per_layer in SPREAD.items():
        activation, init, depth = KINDS.get(name, ("tanh", "orthogonal", 10))
        own = folder / name
        own.mkdir(exist_ok=True)
        spread = per_layer * depth * by.get(name, 1.0)
        runs = [net(own, name, spread, seed, depth, activation, init) for seed in range(2)]
        found[name] = replace(results(runs), path=own)
    return found


def judged(folder: Path, **by: float) -> Estimate:
    (entry,) = select(["f_isometry"])
    return entry.estimate(sweeps(folder, **by), entry.finding)


def test_it_holds(tmp_path: Path) -> None:
    estimate = judged(tmp_path)
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(12, rel=0.08)
    assert estimate.theory == pytest.approx(12)


@pytest.mark.parametrize("by", [{"relu_orthogonal": 2.0}, {"linear": 1.3}, {"tanh_small": 12.0}], ids=str)
def test_it_fails(by: dict[str, float], tmp_path: Path) -> None:
    assert judged(tmp_path, **by).verdict == "not_reproduced"
