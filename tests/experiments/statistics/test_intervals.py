import math

import numpy as np
import pytest
from scipy import stats

from experiments.statistics.intervals import BOOTSTRAP_FROM, geometric_interval, mean_interval, paired, proportion


def coverage(n, method, trials, draw=lambda rng, n: rng.standard_normal(n)):
    rng = np.random.default_rng(1)
    intervals = [mean_interval(draw(rng, n), method) for _ in range(trials)]
    return np.mean([interval.low <= 0 <= interval.high for interval in intervals])


@pytest.mark.parametrize("n", [2, 3, 5, 20])
def test_students_interval_covers(n):
    assert 0.93 <= coverage(n, "student", 3000) <= 0.97


@pytest.mark.parametrize("n", [BOOTSTRAP_FROM, 25])
def test_the_bootstrap_interval_covers(n):
    assert 0.93 <= coverage(n, "bootstrap", 1000) <= 0.97


def test_the_bootstrap_would_not_cover_with_few_repetitions():
    """The control, and the reason for Student's interval there."""
    assert coverage(3, "bootstrap", 200) < 0.9
    assert mean_interval(np.arange(3.0)).method == "student"
    assert mean_interval(np.arange(float(BOOTSTRAP_FROM))).method == "bootstrap"


def test_the_bootstrap_is_scipys_and_repeats_itself():
    values = np.random.default_rng(0).standard_normal(200)
    first, second = mean_interval(values, "bootstrap"), mean_interval(values.copy(), "bootstrap")
    assert first == second
    plain = stats.bootstrap((values,), np.mean, n_resamples=5000, rng=np.random.default_rng(3)).confidence_interval
    assert (first.low, first.high) == pytest.approx((plain.low, plain.high), abs=0.02)


def test_means_of_few_or_equal_values():
    assert mean_interval(np.array([np.nan])).n == 0
    one = mean_interval(np.array([2.0, np.inf]))
    assert (one.value, one.n, one.known) == (2.0, 1, False)
    equal = mean_interval(np.full(4, 2.0))
    assert (equal.low, equal.high) == (2.0, 2.0)


def test_the_geometric_mean_is_named_and_differs_from_the_arithmetic():
    values = np.array([1.0, 100.0])
    assert geometric_interval(values).value == pytest.approx(10)
    assert mean_interval(values).value == pytest.approx(50.5)


def test_wilsons_interval_covers_at_every_share():
    """Exactly, by summing the binomial distribution: on average, and nowhere far off."""
    n = 40
    ends = [proportion(k, n) for k in range(n + 1)]
    shares = np.linspace(0.05, 0.95, 91)
    covered = np.array([sum(stats.binom.pmf(k, n, p) for k in range(n + 1) if ends[k].low <= p <= ends[k].high) for p in shares])
    assert 0.945 <= covered.mean() <= 0.96
    assert covered.min() > 0.90


def test_wilsons_interval_against_its_formula():
    z, n, share = stats.norm.ppf(0.975), 10, 0.3
    center = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    found = proportion(3, 10)
    assert (found.low, found.high) == pytest.approx((center - half, center + half), rel=1e-12)
    assert proportion(0, 5).high > 0.3
    assert proportion(0, 0).n == 0


def test_pairs_cancel_what_the_seeds_share():
    rng = np.random.default_rng(0)
    common = 10 * rng.standard_normal(8)
    before, after = common, common + 0.5 + 0.1 * rng.standard_normal(8)
    comparison = paired(before, after)
    assert comparison.direction == 1
    assert comparison.effect.value == pytest.approx((after - before).mean())
    assert comparison.p == pytest.approx(stats.ttest_rel(after, before).pvalue, rel=1e-9)
    assert stats.ttest_ind(after, before).pvalue > 0.5


def test_a_paired_ratio():
    comparison = paired(np.array([1.0, 10.0, 100.0]), np.array([2.0, 21.0, 190.0]), ratio=True)
    assert comparison.effect.value == pytest.approx((2 * 2.1 * 1.9) ** (1 / 3))
    assert comparison.direction == 1
    assert paired(np.array([1.0, 0.0]), np.array([2.0, 1.0]), ratio=True).effect.n == 1


def test_paired_intervals_cover():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(2000):
        common = rng.standard_normal(5)
        effect = paired(common, common + 0.3 + 0.2 * rng.standard_normal(5)).effect
        hits += effect.low <= 0.3 <= effect.high
    assert 0.93 <= hits / 2000 <= 0.97


def test_no_difference_has_no_direction():
    values = np.array([1.0, 2.0, 3.0])
    same = paired(values, values)
    assert (same.direction, same.p) == (0, 1.0)
    assert paired(values[:1], values[:1] + 1).direction == 0
    assert paired(values, values + 1).direction == 1


@pytest.mark.parametrize(("successes", "trials"), [(0, 1), (1, 1), (0, 7), (3, 7), (7, 7), (29, 30), (1, 1000)])
def test_a_share_has_scipys_wilson_interval_to_the_bit(successes: int, trials: int) -> None:
    theirs = stats.binomtest(successes, trials).proportion_ci(method="wilson")
    ours = proportion(successes, trials)
    assert (ours.value, ours.low, ours.high) == (successes / trials, theirs.low, theirs.high)
