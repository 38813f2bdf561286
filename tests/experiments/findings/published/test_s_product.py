"""δ as a product: states of nets that are right, and states that were tampered with."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.atlas.catalogue import select
from experiments.findings.finding import Estimate
from experiments.store.tables import Results
from tests.experiments.findings.tables import results, run

WIDTH, EXAMPLES = 6, 4


def write(path: Path, depth: int, scale: float, tamper: float) -> list[float]:
    """Write a snapshot of a tanh net at z = 0.1·normal, δ^1 multiplied by `tamper`; return the norms of δ."""
    rng = np.random.default_rng(depth)
    z = {l: 0.1 * rng.standard_normal((WIDTH, EXAMPLES)) for l in range(1, depth + 2)}
    W = {l: scale * rng.standard_normal((WIDTH, WIDTH)) / np.sqrt(WIDTH) for l in range(2, depth + 2)}
    delta = {depth + 1: rng.standard_normal((WIDTH, EXAMPLES))}
    for l in range(depth, 0, -1):
        delta[l] = (W[l + 1].T @ delta[l + 1]) / np.cosh(z[l]) ** 2
    delta[1] = delta[1] * tamper
    state = {f"{name}{l}": value for name, layers in (("W", W), ("z", z), ("delta", delta)) for l, value in layers.items()}
    np.savez(path, W1=np.eye(WIDTH), **state)
    return [float(np.linalg.norm(delta[l])) for l in range(1, depth + 2)]


def sweeps(folder: Path, tamper: float = 1.0) -> dict[str, Results]:
    runs = []
    for scale in (0.3, 3.0):
        for depth in (3, 9):
            norms = write(folder / f"snapshot_run{len(runs):04d}.npz", depth, scale, tamper)
            runs.append(run(norms, activation="tanh", **{"init.scale": scale}))
    return {"start": replace(results(runs), path=folder)}


def judged(folder: Path, tamper: float = 1.0) -> Estimate:
    (entry,) = select(["s_product"])
    return entry.estimate(sweeps(folder, tamper), entry.finding)


def test_a_right_state_keeps_the_bound_and_is_the_product(tmp_path: Path) -> None:
    estimate = judged(tmp_path)
    assert estimate.verdict == "reproduced"
    assert estimate.measured is not None
    assert 0.1 < estimate.measured <= 1
    assert "2 of 2 settings" in estimate.reason


@pytest.mark.parametrize("tamper", [1 + 1e-8, 0.5])
def test_a_delta_that_is_not_the_product_is_noticed(tmp_path: Path, tamper: float) -> None:
    assert judged(tmp_path, tamper).verdict == "not_reproduced"


def test_a_broken_bound_is_named(tmp_path: Path) -> None:
    estimate = judged(tmp_path, 50.0)
    assert estimate.verdict == "not_reproduced"
    assert "broken" in estimate.reason
