"""Residual nets with LayerNorm in the branches and after the addition: the last block's δ, and factors per block."""

import numpy as np
import pytest

from bpcore import activations, skips
from bpcore.theory import Division, Stack, residual_factors
from experiments.atlas.catalogue import select
from tests.experiments.findings.tables import Run, joined, judged, residual

RATES = {"relu": 1.0, "tanh": 1.0503, "sigmoid": 0.8078}
OUTPUT = 0.5
"""‖δ‖² at the output."""


def net(last: float, rate: float, blocks: int, activation: str) -> list[Run]:
    """Return nets whose last sum has ‖δ‖² = `last` times the output's, and whose ‖δ‖² has a factor per block."""
    runs = residual(rate ** np.arange(blocks, -1.0, -1.0), activation=activation)
    for one in runs:
        one["delta_norm"] = np.append(one["delta_norm"][:-1] * last**0.5, 1.0) * OUTPUT**0.5
        one["theory"] = one["delta_norm"].copy()
    return runs


def sweeps(pre: float = -0.5, post: float = 0.0, **rates: float) -> dict[str, list[Run]]:
    """Return nets with slopes of ln ‖δ‖ in ln(1 + L), and factors per block after the addition."""
    depths, own = (4, 16, 64), RATES | rates
    return {
        "pre": joined(*(net((1.0 + blocks) ** (2 * pre), 1.0, blocks, "relu") for blocks in depths)),
        "post": joined(*(net(0.3 * (1.0 + blocks) ** (2 * post), own[name], blocks, name) for name in own for blocks in depths)),
        "rates": joined(*(net(0.3, own[name], 64, name) for name in own)),
    }


def test_it_holds_for_what_it_is_said_of() -> None:
    estimate, entry = judged("f_prepost", sweeps())
    assert estimate.verdict == "caveat"
    assert "feed-forward" in entry.finding.caveat
    assert estimate.measured == pytest.approx(-0.5)
    assert len(estimate.tables["slopes"]) == 4


@pytest.mark.parametrize("changed", [{"pre": 0.0}, {"post": -0.5}, {"pre": -0.43}, {"sigmoid": 0.82}, {"relu": 0.985}])
def test_a_slope_that_is_shared_and_other_factors_fail(changed: dict[str, float]) -> None:
    assert judged("f_prepost", sweeps(**changed))[0].verdict == "not_reproduced"


def test_theory_has_the_published_factors() -> None:
    for name, rate in select(["f_prepost"])[0].finding.values["rate"].items():
        sizes = (300,) * 12 + (10,)
        post = skips.preactivation(norm="post")
        stack = Stack(post, getattr(activations, name)(), sizes, [1 / 300] * 12, [0.0] * 12, Division(0.0))
        factors, _ = residual_factors(stack, np.array([300.0]), 300.0)
        np.testing.assert_allclose(factors[2:-1] ** 2, rate, atol=5e-5)
