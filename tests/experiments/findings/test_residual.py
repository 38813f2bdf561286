"""What findings on residual nets read off the tables, against tables made by hand."""

import math

import numpy as np
import pytest

from experiments.findings.intervals import mean
from experiments.findings.residual import misfit, over_seeds, per_block, slope, sums
from tests.experiments.findings.tables import residual, results


@pytest.mark.parametrize("skip", ["preactivation", "block", "postactivation"])
def test_sums_stand_once_a_block(skip: str) -> None:
    rows = sums(results(residual([8, 4, 2, 1], [1, 2, 3, 4], [27, 9, 3, 1], seeds=2, scatter=0.0, skip=skip)), ["seed"])
    one = rows[rows["seed"] == 1]
    assert one["block"].tolist() == [0, 1, 2, 3]
    assert set(one["blocks"]) == {3}
    np.testing.assert_allclose(one["delta"], [8, 4, 2, 1], rtol=1e-12)
    np.testing.assert_allclose(one["theory"], [27, 9, 3, 1], rtol=1e-12)
    assert one["stream"].tolist() == [1, 2, 3, 4]


def test_means_are_arithmetic_and_a_total_has_a_root() -> None:
    rows = sums(results(residual([8, 2, 1], seeds=4, scatter=0.3)), [])
    first = rows[rows["block"] == 0]["delta"]
    total = over_seeds(rows, ["block"]).set_index("block").loc[0]
    assert total["measured"] == pytest.approx(first.mean())
    assert total["n"] == 4
    rate = per_block(mean(first), 2)
    assert rate.value == pytest.approx(first.mean() ** 0.5)
    assert rate.low < rate.value < rate.high
    assert per_block(mean([0.1, 5.0]), 2).low == 0.0


def test_lines_of_least_squares() -> None:
    assert slope([1, 2, 4], [5, 3, -1]) == pytest.approx(-2)
    assert misfit([1, 2, 4], [5, 3, -1]) == pytest.approx(0, abs=1e-20)
    assert misfit([0, 1, 2], [0, 1, 0]) == pytest.approx(2 / 3)
    assert all(math.isnan(line([0, 1, 2], [0, math.nan, 1])) for line in (slope, misfit))
    assert math.isnan(slope([1, 1], [0, 1]))
