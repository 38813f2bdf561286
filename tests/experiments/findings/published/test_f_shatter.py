"""Cosines of gradients that fall like 2^(−L), and others; with batch normalization and without."""

from collections.abc import Callable

import numpy as np
import pytest

from experiments.findings.published.f_shatter_no_bn import predicted
from tests.experiments.findings.tables import Run, judged, run


def nets(cosine: Callable[[int], float], depths: tuple[int, ...] = (4, 8, 16)) -> list[Run]:
    runs = []
    for depth in depths:
        for seed in range(5):
            values = np.full(depth + 1, 0.7)
            values[0] = cosine(depth) * (1 + 0.05 * (seed - 2))
            runs.append(run(np.ones(depth + 1), layers={"gradient_cosine": values}, depth=depth, seed=seed))
    return runs


def law(depth: int) -> float:
    return 2.0**-depth


def power(depth: int) -> float:
    return 4 * depth**-2.0


def test_the_law_holds_on_both_kinds_of_inputs() -> None:
    estimate, _ = judged("f_shatter", {"independent": nets(law), "grid": nets(law)})
    assert estimate.verdict == "reproduced"
    assert estimate.measured == pytest.approx(2.0**-8)


def test_a_grid_where_it_fails_is_a_caveat_with_its_number() -> None:
    estimate, _ = judged("f_shatter", {"independent": nets(law), "grid": nets(power)})
    assert estimate.verdict == "caveat"
    assert "published grid" in estimate.reason


def test_independent_inputs_decide() -> None:
    assert judged("f_shatter", {"independent": nets(power), "grid": nets(law)})[0].verdict == "not_reproduced"


def test_a_power_of_the_depth_refutes_the_popular_claim() -> None:
    estimate, entry = judged("f_shatter_no_bn", {"independent": nets(power)})
    assert entry.finding.control
    assert estimate.verdict == "refuted"
    assert "L^−2.0" in estimate.reason


def test_a_law_that_holds_would_be_reproduced_and_a_constant_refutes_nothing() -> None:
    assert judged("f_shatter_no_bn", {"independent": nets(law)})[0].verdict == "reproduced"
    assert judged("f_shatter_no_bn", {"independent": nets(lambda depth: 3 * law(depth))})[0].verdict == "not_reproduced"


def test_theory_halves_once_and_then_ever_less() -> None:
    assert predicted(1) == pytest.approx(0.5)
    assert predicted(2) == pytest.approx(0.5 * (1 - np.arccos(1 / np.pi) / np.pi))
    assert predicted(64) / predicted(32) > 0.1 > 2.0**-32
