"""The walk of δ through a bottleneck."""

import numpy as np
import pytest
from scipy import stats

from bpcore.theory import relu_walk
from tests.experiments.findings.tables import Run, judged, run

WIDTHS = [60] * 5 + [10] + [60] * 6


def nets(variances: dict[int, float] | None = None, dead: int = 3, seeds: int = 400) -> list[Run]:
    """Return nets whose logarithms are evenly spaced quantiles, shuffled apart from layer to layer; some have a dead layer."""
    exact = {n: relu_walk(n)[1] for n in (10, 60)} | (variances or {})
    quantiles = stats.norm.ppf((np.arange(seeds) + 0.5) / seeds)
    draws = [np.random.default_rng(l).permutation(quantiles) * exact[n] ** 0.5 for l, n in enumerate(WIDTHS[:-1])]
    norms = np.exp(np.cumsum(np.array(draws)[::-1], axis=0)[::-1].T / 2)
    norms[:dead, 4] = 0.0
    return [run([*row, 1.0, 1.0], width="[60,60,60,60,60,10,60,60,60,60,60,60]", seed=seed) for seed, row in enumerate(norms)]


def test_it_holds_without_the_dead() -> None:
    estimate, _ = judged("f_logvar", {"nets": nets()})
    assert estimate.verdict == "reproduced"
    assert estimate.theory == pytest.approx(1.756, abs=5e-4)
    assert "3 of 400 nets" in estimate.reason


@pytest.mark.parametrize("variances", [{10: 0.5, 60: 5 / 60}, {10: 1.0}, {60: 0.07}])
def test_another_law_fails(variances: dict[int, float]) -> None:
    assert judged("f_logvar", {"nets": nets(variances)})[0].verdict == "not_reproduced"
