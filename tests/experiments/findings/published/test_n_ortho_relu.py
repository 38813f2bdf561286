"""Spectra of ReLU nets, equal and unequal."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from experiments.atlas.catalogue import select
from experiments.findings.finding import Estimate
from experiments.store.tables import Results
from tests.experiments.findings.tables import results, run

N = 70


def sweeps(folder: Path, spread: float = 0.0) -> dict[str, Results]:
    """Return nets of six layers of whose singular values a share is 0 and the others are equal, which has this spread."""
    alive = round(N / (1 + spread))
    state = {f"W{l}": np.eye(N) for l in range(2, 7)} | {"W1": np.diag(np.repeat([1.0, 0.0], [alive, N - alive]))}
    for seed in range(2):
        np.savez(folder / f"snapshot_run{seed:04d}.npz", **state, **{f"z{l}": np.ones((N, 1)) for l in range(1, 7)})
    return {"relu_orthogonal": replace(results([run(np.ones(7), seed=seed) for seed in range(2)]), path=folder)}


def judged(folder: Path, spread: float) -> Estimate:
    (entry,) = select(["n_ortho_relu"])
    return entry.estimate(sweeps(folder, spread), entry.finding)


def test_the_claim_holds_where_all_are_equal(tmp_path: Path) -> None:
    assert judged(tmp_path, 0.0).verdict == "reproduced"


def test_it_is_refuted_by_a_spread_of_the_depth(tmp_path: Path) -> None:
    estimate = judged(tmp_path, 6.0)
    assert estimate.verdict == "refuted"
    assert estimate.measured == pytest.approx(6)
    assert estimate.theory == pytest.approx(6)


def test_it_is_neither_in_between(tmp_path: Path) -> None:
    assert judged(tmp_path, 3.0).verdict == "not_reproduced"
