"""Ranks that collapse without batch normalization alone, and others."""

import numpy as np
import pytest

from tests.experiments.findings.tables import Run, judged, run


def nets(width: int, none: float, batch: float) -> list[Run]:
    layer = np.arange(1, 202)
    runs = []
    for seed in range(3):
        for name, end in (("none", none), ("batch", batch)):
            rank = end + width / 3 * np.exp(-layer / 10) + 0.01 * seed
            runs.append(run(np.ones(201), layers={"a_rank": rank}, width=width, normalization=name, seed=seed))
    return runs


def sweeps(none: float = 1.0, constant: float = 0.9, exponent: float = 0.5) -> dict[str, list[Run]]:
    return {f"d{width}": nets(width, none, constant * width**exponent) for width in (64, 32, 16)}


def judge(none: float, constant: float, exponent: float) -> str:
    estimate, _ = judged("f_rank", sweeps(none, constant, exponent))
    assert estimate.measured == pytest.approx(constant * 64**exponent, rel=0.02)
    return estimate.verdict


def test_it_holds() -> None:
    assert judge(1.0, 0.9, 0.5) == "reproduced"


@pytest.mark.parametrize(("none", "constant", "exponent"), [(1.8, 0.9, 0.5), (1.0, 0.4, 0.5), (1.0, 3.0, 0.1), (1.0, 1.0, 0.0)])
def test_no_collapse_without_or_another_growth_with_it_fails(none: float, constant: float, exponent: float) -> None:
    assert judge(none, constant, exponent) == "not_reproduced"
