"""Weights and gradients that are orthogonal, and that are not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.atlas.catalogue import select
from experiments.findings.finding import Estimate
from experiments.store.tables import Results
from tests.experiments.findings.tables import results, run


def state(whole: float, joint: bool, row: float) -> dict[str, np.ndarray]:
    """Return weights of two rows and a gradient, `whole` and `row` far from orthogonal; `joint` lets the bias make up for it."""
    W = np.array([[1.0, 0.0], [0.0, 1.0]])
    dW = np.array([[row + whole, 1.0], [1.0, -row + whole]])
    db = np.full((2, 1), -whole / 0.5 if joint else 0.0)
    return {"W1": W, "dW1": dW, "b1": np.full((2, 1), 0.5 if joint else 0.0), "db1": db}


def nets(folder: Path, name: str, states: dict[str, dict[str, np.ndarray]], angle: float) -> Results:
    own, runs = folder / name, []
    own.mkdir(exist_ok=True)
    ratio = np.full(4, 0.2)
    norm = 3 * np.cumprod(np.append(1.0, np.sqrt(1 + ratio[:-1] ** 2 + 2 * angle * ratio[:-1])))
    for activation, arrays in states.items():
        np.savez(own / f"snapshot_run{len(runs):04d}.npz", **arrays)
        layers = {"step": np.arange(4), "layer": 1, "weight_norm": norm, "update_ratio": np.append(ratio[:-1], np.nan)}
        runs.append(run(np.ones(4), layers=layers, depth=1, activation=activation, steps=pd.DataFrame({"step": np.arange(4)})))
    return replace(results(runs), path=own)


def sweeps(
    folder: Path,
    whole: float = 0.0,
    angle: float = 0.0,
    row: float = 0.3,
    tanh: float = 0.2,
    unjoined: float = 0.0,
    batch_row: float = 0.0,
) -> dict[str, Results]:
    plain = state(whole, False, row)
    biased = state(0.2, True, row)
    biased["db1"] = biased["db1"] + unjoined
    return {
        "before": nets(folder, "before", {"relu": plain, "tanh": plain}, angle),
        "behind": nets(folder, "behind", {"relu": plain, "tanh": state(tanh, False, row)}, angle),
        "biased": nets(folder, "biased", {"relu": biased}, 0.1),
        "batch": nets(folder, "batch", {"relu": state(0.0, False, batch_row)}, 0.0),
    }  # fmt: skip


def judged(folder: Path, **change: float) -> Estimate:
    (entry,) = select(["f_ln_scale"])
    return entry.estimate(sweeps(folder, **change), entry.finding)


def test_it_holds(tmp_path: Path) -> None:
    estimate = judged(tmp_path)
    assert estimate.verdict == "reproduced"
    assert estimate.measured < 1e-14


@pytest.mark.parametrize(
    "change", [{"whole": 1e-6}, {"angle": 1e-6}, {"row": 0.0}, {"tanh": 0.0}, {"unjoined": 1e-6}, {"batch_row": 0.1}], ids=str
)
def test_it_fails(change: dict[str, float], tmp_path: Path) -> None:
    assert judged(tmp_path, **change).verdict == "not_reproduced"
