import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from experiments.findings.frames import groups, layers_at, profile
from experiments.findings.intervals import bootstrap, geometric_mean, mean, share
from tests.experiments.findings.tables import geometric, results, run


def test_a_mean_has_students_interval() -> None:
    found = mean([1.0, 2.0, 3.0, 4.0, math.nan, math.inf])
    half = 3.182446305284263 * np.std([1, 2, 3, 4], ddof=1) / 2  # t(0.975, 3)
    assert (found.value, found.n) == (2.5, 4)
    assert (found.low, found.high) == pytest.approx((2.5 - half, 2.5 + half), rel=1e-12)


def test_a_geometric_mean_is_that_of_the_logarithms() -> None:
    found = geometric_mean([1.0, 10.0, 100.0, 0.0])
    assert found.value == pytest.approx(10.0)
    assert found.low * found.high == pytest.approx(100.0)
    assert found.n == 3


@pytest.mark.parametrize("interval", [mean, geometric_mean, lambda values: bootstrap(values, np.mean)])
def test_too_few_repetitions_have_no_interval(interval) -> None:
    assert math.isnan(interval([]).value)
    assert interval([2.0]).value == pytest.approx(2.0)
    assert math.isnan(interval([2.0]).low)


def test_a_bootstrap_is_the_same_each_time_and_covers_what_it_should() -> None:
    rng = np.random.default_rng(1)
    samples = rng.normal(size=(200, 40))
    intervals = [bootstrap(sample, np.mean) for sample in samples]
    assert intervals[0] == bootstrap(samples[0], np.mean)
    covered = np.mean([one.low <= 0 <= one.high for one in intervals])
    assert 0.89 <= covered <= 0.98
    assert not 0.89 <= np.mean([one.low <= 0.5 <= one.high for one in intervals]) <= 0.98


@pytest.mark.parametrize("statistic", [np.mean, np.median])
@pytest.mark.parametrize("n", [2, 3, 7, 40])
def test_a_bootstrap_has_the_expanded_percentiles_of_resampled_statistics(statistic: Any, n: int) -> None:
    values = np.random.default_rng(n).lognormal(size=n)
    found = bootstrap([*values, math.inf, math.nan], statistic, seed=3)
    picks = np.random.default_rng(3).integers(0, n, (2000, n))
    tail = stats.norm.cdf(-math.sqrt(n / (n - 1)) * stats.t.ppf(0.975, n - 1))
    low, high = np.quantile(statistic(values[picks], axis=1), [tail, 1 - tail])
    center = statistic(values)
    assert (found.value, found.n) == (center, n)
    np.testing.assert_allclose([found.low, found.high], [min(low, center), max(high, center)], rtol=1e-14)


def test_a_share_has_wilsons_interval() -> None:
    found = share([True, True, False, True])
    assert (found.value, found.n) == (0.75, 4)
    assert 0.3 < found.low < 0.75 < found.high < 1


def test_groups_are_sorted_and_whole() -> None:
    frame = pd.DataFrame({"depth": [3, 2, 3], "seed": [0, 0, 1], "x": [1.0, 2.0, 3.0]})
    assert [(values, len(rows)) for values, rows in groups(frame, ["depth"])] == [((2,), 1), ((3,), 2)]


def test_layers_carry_the_runs_columns_and_the_output_only_when_asked() -> None:
    tables = results([*geometric(0.5, 2, seeds=2, lr=0.1), *geometric(0.5, 3, seeds=2, lr=0.2)])
    hidden = layers_at(tables, 0, ["lr"])
    assert "depth" not in hidden.columns
    assert hidden.groupby("lr").size().to_dict() == {0.1: 4, 0.2: 6}
    assert layers_at(tables, 0, ["lr"], hidden=False).groupby("lr").size().to_dict() == {0.1: 6, 0.2: 8}
    assert layers_at(tables, 5, ["lr"]).empty
    assert len(layers_at(tables, "last", ["lr"])) == len(hidden)


def test_a_profile_is_geometric_and_leaves_out_zeros() -> None:
    tables = results([run([1.0, 4.0, 1.0], seed=0), run([4.0, 16.0, 1.0], seed=1), run([0.0, 8.0, 1.0], seed=2)])
    found = profile(layers_at(tables, 0, ["depth"]), ["depth"])
    assert found["layer"].tolist() == [1, 2]
    assert found["measured"].tolist() == pytest.approx([2.0, 8.0])
    assert found["n"].tolist() == [2, 3]
    assert (found["low"].tolist(), found["high"].tolist()) == ([1.0, 4.0], [4.0, 16.0])
