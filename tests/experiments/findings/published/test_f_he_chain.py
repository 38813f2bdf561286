"""He's example: the published factors, and others."""

import math

import numpy as np
import pytest

from tests.experiments.findings.tables import Run, judged, run

WIDTHS = (576, 1152, 2304, 4608)


def nets(sigma: float = 0.01, power: float = 0.5) -> list[Run]:
    """Return runs whose factor is (nσ²/2)^power, with some scatter."""
    runs = []
    for width in WIDTHS:
        for seed in range(6):
            factor = (width * sigma**2 / 2) ** power * math.exp(np.random.default_rng([seed, width]).normal(scale=0.005))
            runs.append(run([factor, 1.0], width=width, seed=seed, **{"init.scale": 0.01}))
    return runs


def test_the_published_factors_are_reproduced() -> None:
    estimate, _ = judged("f_he_chain", {"layers": nets()})
    assert estimate.verdict == "reproduced"
    assert estimate.theory == pytest.approx(1.67e4, rel=0.005)
    assert estimate.measured == pytest.approx(1.67e4, rel=0.05)


@pytest.mark.parametrize("other", [{"sigma": 0.011}, {"power": 0.4}])
def test_other_factors_are_not(other: dict[str, float]) -> None:
    assert judged("f_he_chain", {"layers": nets(**other)})[0].verdict == "not_reproduced"
