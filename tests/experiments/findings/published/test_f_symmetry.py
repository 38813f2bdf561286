"""Weights that are equal, and that are not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.atlas.catalogue import select
from experiments.findings.finding import Estimate
from experiments.store.tables import Results
from tests.experiments.findings.tables import results, run


def nets(folder: Path, name: str, apart: float, equal: float) -> Results:
    """Return one net a kind of activation, with snapshots whose rows are `apart`."""
    own, rng = folder / name, np.random.default_rng(0)
    own.mkdir(exist_ok=True)
    runs = []
    for i, activation in enumerate(("tanh", "relu")):
        state = {f"{kind}{l}": np.ones((4, 4)) + apart * rng.random((4, 4)) for kind in ("W", "dW") for l in (1, 2)}
        np.savez(own / f"snapshot_run{i:04d}.npz", **state)
        runs.append(run([1.0, 1.0, 1.0], layers={"equal_units": [equal, equal, 0.1]}, activation=activation))
    return replace(results(runs), path=own)


def zero(gradient: float = 0.0, end: float = 2.2935) -> Results:
    path = pd.DataFrame({"step": [0, 100, 200], "loss": [2.3026, 2.295, end]})
    layers = {"weight_grad_norm": gradient}
    own = {"final_loss": end, "baseline_loss": 2.293, "steps": path, "layers": layers}
    return results([run([1.0, 1.0, 1.0], activation=name, **own) for name in ("tanh", "relu")])


def sweeps(
    folder: Path, apart: float = 0.0, equal: float = 1.0, random: float = 1.0, gradient: float = 0.0, end: float = 2.2935
) -> dict[str, Results]:
    return {
        "constant": nets(folder, "constant", apart, equal), "zero": zero(gradient, end), "random": nets(folder, "random", random, 0.25),
    }  # fmt: skip


def judged(folder: Path, **change: float) -> Estimate:
    (entry,) = select(["f_symmetry"])
    return entry.estimate(sweeps(folder, **change), entry.finding)


def test_it_holds(tmp_path: Path) -> None:
    estimate = judged(tmp_path)
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(2.2935)


@pytest.mark.parametrize("change", [{"apart": 1e-8}, {"equal": 0.75}, {"random": 0.0}, {"gradient": 1e-9}, {"end": 2.2}, {"end": 2.3}])
def test_it_fails(change: dict[str, float], tmp_path: Path) -> None:
    assert judged(tmp_path, **change).verdict == "not_reproduced"
