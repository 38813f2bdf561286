"""Moves of units within the bound, and beyond."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.atlas.catalogue import select
from experiments.findings.finding import Estimate
from experiments.store.tables import Results
from tests.experiments.findings.tables import Run, results, run


def moved(folder: Path, by: float) -> Results:
    """Return two snapshots between which one row of the second layer moves by the bound times `by`."""
    W = {1: np.full((3, 2), 0.5), 2: np.zeros((2, 3))}
    after = {1: W[1].copy(), 2: W[2].copy()}
    after[2][0, 0] = 0.01 * 1e-3 * by  # the row is 0, so that ε bounds it
    runs = []
    for i, state in enumerate((W, after)):
        np.savez(folder / f"snapshot_run{i:04d}.npz", **{f"W{l}": array for l, array in state.items()})
        runs.append(run([1.0, 1.0], lr=1.0, **{"clip.threshold": 0.01, "clip.eps": 1e-3, "record.snapshot": i, "clip": "adaptive"}))
    return replace(results(runs), path=folder)


def trained(ratio: float, accuracy: float) -> list[Run]:
    step = pd.DataFrame({"step": [0, 1]})
    layers = {"step": [0, 1], "layer": 1, "update_ratio": [0.01 * ratio, np.nan]}
    own = {"lr": 1.0, "clip.threshold": 0.01, "clip": "adaptive", "final_accuracy": accuracy, "steps": step}
    return [run([1.0, 1.0], layers=layers, seed=seed, **own) for seed in range(4)]


def free(accuracy: float) -> list[Run]:
    status = {} if accuracy else {"status": "diverged"}
    return [run([1.0, 1.0], lr=lr, clip="none", final_accuracy=accuracy, seed=seed, **status) for lr in (0.1, 1.0) for seed in range(4)]


def sweeps(folder: Path, by: float = 1.0, ratio: float = 1.0, accuracy: float = 0.95, without: float = 0.0) -> dict[str, Results]:
    return {"rows": moved(folder, by), "clipped": results(trained(ratio, accuracy)), "free": results(free(without))}


def judged(folder: Path, **change: float) -> Estimate:
    (entry,) = select(["f_agc"])
    return entry.estimate(sweeps(folder, **change), entry.finding)


def test_it_holds(tmp_path: Path) -> None:
    estimate = judged(tmp_path)
    assert estimate.verdict == "caveat"
    assert estimate.measured == 1.0


@pytest.mark.parametrize("change", [{"by": 1.001}, {"ratio": 1.01}, {"accuracy": 0.5}, {"without": 0.9}])
def test_it_fails(change: dict[str, float], tmp_path: Path) -> None:
    assert judged(tmp_path, **change).verdict == "not_reproduced"
