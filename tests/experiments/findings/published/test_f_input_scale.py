"""Inputs that saturate, and targets that are far."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

from experiments.atlas.catalogue import select
from experiments.findings.finding import Estimate
from experiments.findings.published.f_input_scale import _formula
from experiments.store.tables import Results
from tests.experiments.findings.tables import results, run

EDGES = {"tanh": 2.178, "sigmoid": 4.357}
KNOWN = select(["f_input_scale"])[0].finding.values


def nets(folder: Path, name: str, constant: bool) -> Results:
    """Return nets whose inputs have the length for which the formula gives the published share."""
    own, runs = folder / name, []
    own.mkdir(exist_ok=True)
    for activation in ("tanh", "sigmoid"):
        for scale, share in KNOWN["saturated"][f"{activation} {name}"].items():
            length = EDGES[activation] / np.sqrt(2) / special.erfcinv(share) if share else 0.1
            np.savez(own / f"snapshot_run{len(runs):04d}.npz", x=np.full((4, 3), length))
            settings = {"activation": activation, "data.scale": float(scale)}
            runs.append(run([1.0, 1.0], layers={"saturated": 0.03 if constant else share}, **settings))
    return replace(results(runs), path=own)


def target(size: int, longer: float) -> Results:
    bound = (1 - np.sqrt(0.1)) * size / 0.02
    steps = np.array([0, bound * 0.5, bound * longer])
    frame = pd.DataFrame({"step": steps, "loss": np.array([0.5, 0.3, 0.049]) * size**2})
    return results([run([1.0], depth=0, lr=0.01, steps=frame, **{"data.y": float(size)})])


def sweeps(folder: Path, constant: bool = False, longer: float = 1.1) -> dict[str, Results]:
    return {
        "gaussian": nets(folder, "gaussian", constant), "digits": nets(folder, "digits", constant),
        "target": target(100, longer), "far_target": target(1000, longer),
    }  # fmt: skip


def judged(folder: Path, constant: bool = False, longer: float = 1.1) -> Estimate:
    (entry,) = select(["f_input_scale"])
    return entry.estimate(sweeps(folder, constant, longer), entry.finding)


def test_it_holds(tmp_path: Path) -> None:
    estimate = judged(tmp_path)
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(0.777)


@pytest.mark.parametrize(("constant", "longer"), [(True, 1.1), (False, 0.9), (False, 1.5)])
def test_it_fails(constant: bool, longer: float, tmp_path: Path) -> None:
    assert judged(tmp_path, constant, longer).verdict == "not_reproduced"


@pytest.mark.parametrize("setting", [("tanh", 1, 0.0294), ("tanh", 4, 0.276), ("sigmoid", 100, 0.663)])
def test_the_formula_has_the_published_shares(setting: tuple[str, float, float]) -> None:
    activation, q, share = setting
    assert _formula(activation, np.array([q]), 0.05) == pytest.approx(share, abs=5e-4)
