"""Residual tanh nets whose ‖δ‖² grows like exp(A√L), and by a constant factor per block."""

import numpy as np
import pytest

from bpcore import skips
from bpcore.activations import tanh
from bpcore.theory import Stack, residual_factors
from experiments.atlas.catalogue import select
from tests.experiments.findings.tables import Run, joined, judged, residual

WIDTH = 300


def profile(blocks: int) -> list[float]:
    """Return theory's ‖δ‖² at the sums over that of the last, with a variance of 1 of the first."""
    sizes = (WIDTH,) * (blocks + 2) + (10,)
    stack = Stack(skips.preactivation(), tanh(), sizes, [1 / WIDTH] * (blocks + 2), [0.0] * (blocks + 2))
    factors, _ = residual_factors(stack, np.array([float(WIDTH)]), float(WIDTH))
    return [*np.cumprod(factors[1:-1][::-1] ** 2)[::-1], 1.0]


def nets(change: float = 1.0, exponential: bool = False) -> list[Run]:
    """Return nets of theory's growth to a power, or of the same total by a constant factor."""
    found = []
    for blocks in (10, 20, 50):
        own = np.array(profile(blocks)) ** change
        found.append(residual(own[0] ** np.linspace(1, 0, blocks + 1) if exponential else own, theory=profile(blocks)))
    return joined(*found)


def test_it_holds() -> None:
    estimate, _ = judged("f_res_tanh", {"depths": nets()})
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(1361, rel=0.02)
    assert "in √k leaves" in estimate.reason


def test_other_totals_and_a_constant_factor_fail() -> None:
    assert judged("f_res_tanh", {"depths": nets(change=1.1)})[0].verdict == "not_reproduced"
    failed = judged("f_res_tanh", {"depths": nets(exponential=True)})[0]
    assert failed.verdict == "not_reproduced"
    assert [condition.holds for condition in failed.judgement.conditions] == [True, False, True]


def test_theory_has_the_published_totals() -> None:
    for blocks, total in select(["f_res_tanh"])[0].finding.values["total"].items():
        assert profile(blocks)[0] == pytest.approx(total, rel=5e-4)
