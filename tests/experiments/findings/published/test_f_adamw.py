"""Weights without a gradient under three kinds of decay."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.atlas.catalogue import select
from experiments.findings.finding import Estimate
from experiments.store.tables import Results
from tests.experiments.findings.tables import results, run


def pair(name: str, decay: float, factor: float, steps: int, **settings: Any) -> list[dict[str, Any]]:
    """Return the runs before and after, with their weights."""
    before = np.random.default_rng(0).standard_normal((6, 3))
    states = {0: before, steps: factor * before}
    key = "optimizer.weight_decay" if name == "decoupled" else "weight_decay"
    return [run([1.0, 1.0], **settings, **{key: decay, "record.snapshot": step}) | {"W1": W} for step, W in states.items()]


def sweep(folder: Path, name: str, runs: list[dict[str, Any]]) -> Results:
    """Write the runs' snapshots, in which the first input is 0 on every example; return their tables."""
    own = folder / name
    own.mkdir(exist_ok=True)
    for i, one in enumerate(runs):
        np.savez(own / f"snapshot_run{i:04d}.npz", x=np.array([[0.0, 0.0], [1.0, 2.0], [0.0, 1.0]]), W1=one["W1"])
    return replace(results([{key: value for key, value in one.items() if key != "W1"} for one in runs]), path=own)


def sweeps(folder: Path, adamw: float = 1.0, by_decay: float = 0.0) -> dict[str, Results]:
    slow = [pair("inside_adam", of, 0.8775 * (1 - by_decay * of), lr=0.001, steps=20) for of in (0.01, 0.1, 1.0)]
    return {
        "decoupled": sweep(folder, "decoupled", pair("decoupled", 0.1, 0.999**100 * adamw, lr=0.01, steps=100)),
        "descent": sweep(folder, "descent", pair("descent", 0.1, 0.999**100, lr=0.01, steps=100)),
        "inside_adam": sweep(folder, "inside_adam", [one for two in slow for one in two]),
    }


def judged(folder: Path, **change: float) -> Estimate:
    (entry,) = select(["f_adamw"])
    return entry.estimate(sweeps(folder, **change), entry.finding)


def test_it_holds(tmp_path: Path) -> None:
    estimate = judged(tmp_path)
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(0.8775)


@pytest.mark.parametrize("change", [{"adamw": 1 + 1e-11}, {"by_decay": 0.001}])
def test_it_fails(change: dict[str, float], tmp_path: Path) -> None:
    assert judged(tmp_path, **change).verdict == "not_reproduced"
