"""The walk of δ through a bottleneck."""

import numpy as np
import pytest
from scipy import stats

from bpcore.arrays import FloatArray
from bpcore.theory import relu_walk
from tests.experiments.findings.tables import Run, judged, run

WIDTHS = [60] * 5 + [10] + [60] * 6


def nets(variances: dict[int, float] | None = None, dead: int = 3, seeds: int = 400) -> list[Run]:
    """Return nets whose logarithms are evenly spaced quantiles, shuffled apart from layer to layer; some have a dead layer."""
    exact = {n: relu_walk(n)[1] for n in (10, 60)} | (variances or {})
    norms = _norms([exact[n] for n in WIDTHS[:-1]], seeds)
    norms[:dead, 4] = 0.0
    return [run([*row, 1.0, 1.0], width="[60,60,60,60,60,10,60,60,60,60,60,60]", seed=seed) for seed, row in enumerate(norms)]


def sweeps(variances: dict[int, float] | None = None, dropped: float = 1.0) -> dict[str, list[Run]]:
    """Return nets with a bottleneck, and with dropout, whose variance is multiplied by `dropped`."""
    norms = _norms([dropped * relu_walk(100, keep=0.5)[1]] * 19, 400)
    masked = [run([*row, 1.0, 1.0], width="100", seed=seed, **{"dropout.rate": 0.5}) for seed, row in enumerate(norms)]
    return {"nets": nets(variances), "dropped": masked}


def _norms(variances: list[float], seeds: int) -> FloatArray:
    """Return ‖δ^l‖ over that of the last hidden layer, one row a net."""
    quantiles = stats.norm.ppf((np.arange(seeds) + 0.5) / seeds)
    draws = [np.random.default_rng(l).permutation(quantiles) * variance**0.5 for l, variance in enumerate(variances)]
    return np.asarray(np.exp(np.cumsum(np.array(draws)[::-1], axis=0)[::-1].T / 2))


def test_it_holds_without_the_dead() -> None:
    estimate, _ = judged("f_logvar", sweeps())
    assert estimate.verdict == "reproduced"
    assert estimate.theory == pytest.approx(1.756, abs=5e-4)
    assert "3 of 400 nets" in estimate.reason


@pytest.mark.parametrize("variances", [{10: 0.5, 60: 5 / 60}, {10: 1.0}, {60: 0.07}])
def test_another_law_fails(variances: dict[int, float]) -> None:
    assert judged("f_logvar", sweeps(variances))[0].verdict == "not_reproduced"


@pytest.mark.parametrize("dropped", [0.8, 1.25])
def test_another_spread_under_dropout_fails(dropped: float) -> None:
    estimate, _ = judged("f_logvar", sweeps(dropped=dropped))
    assert estimate.verdict == "not_reproduced"
    assert estimate.tables["numbers"].set_index("what").loc["with dropout", "theory"] == pytest.approx(2.297, abs=5e-4)
