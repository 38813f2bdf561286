import math

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from experiments.statistics.factors import decay, delta_factor, exp, log_delta_norm, log_factor

TRIALS = 2000


def walk(increments):
    """ln δ of layers 1…D whose increments toward the input are given."""
    return np.append(0.0, -np.cumsum(increments))


def coverage(noise, drift, layers, seed=0):
    """Share of random walks whose interval holds the mean factor."""
    rng = np.random.default_rng(seed)
    hits = 0
    for _ in range(TRIALS):
        factor = log_factor(walk(drift + noise(rng, layers)))
        hits += factor.low <= math.exp(np.mean(drift)) <= factor.high
    return hits / TRIALS


def normal(rng, n):
    return 0.3 * rng.standard_normal(n)


def log_chi(rng, n):
    """As of He-initialized rectifiers: half the logarithm of a mean of squares, skewed."""
    return (np.log(rng.chisquare(20, n) / 20) - special.digamma(10) + math.log(10)) / 2


@pytest.mark.parametrize("noise", [normal, log_chi])
@pytest.mark.parametrize("layers", [2, 3, 6, 19])
def test_the_interval_covers_the_factor_of_a_random_walk(noise, layers):
    assert 0.93 <= coverage(noise, np.full(layers, -0.2), layers) <= 0.97


@pytest.mark.parametrize("layers", [6, 19])
def test_the_interval_covers_a_factor_that_drifts_along_the_depth(layers):
    assert 0.93 <= coverage(normal, -0.5 / np.arange(1, layers + 1), layers) <= 0.97


def test_a_regression_would_cover_far_too_little():
    """The control: the same simulation finds the interval of a straight line's residuals wanting."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(500):
        line = stats.linregress(np.arange(20), walk(-0.2 + normal(rng, 19)))
        half = stats.t.ppf(0.975, 18) * line.stderr
        hits += abs(line.slope - 0.2) <= half
    assert hits / 500 < 0.5


def test_the_arithmetic_factor_is_what_the_mean_square_follows():
    rng = np.random.default_rng(0)
    factor = log_factor(walk(0.1 * rng.standard_normal(40_000)))
    assert factor.value == pytest.approx(1, rel=2e-3)
    assert factor.arithmetic == pytest.approx(math.exp(0.01), rel=2e-3)  # ln √E e^(2x) = v
    assert factor.log_variance == pytest.approx(0.01, rel=0.02)


def test_ratios_beyond_floats_keep_their_logarithm():
    factor = log_factor(np.linspace(-7000, 0, 8))
    assert factor.value == 0.0
    assert factor.end_to_end == 0.0
    assert factor.log_end_to_end == -7000
    assert log_factor(np.linspace(7000, 0, 8)).end_to_end == math.inf
    assert exp(710) == math.inf


def test_the_extended_range_is_used_where_it_is_there():
    frame = pd.DataFrame({"delta_norm": [0.0, 1e-300, 1.0], "log10_delta_norm": [-600.0, -300.0, np.nan]})
    np.testing.assert_allclose(log_delta_norm(frame), [-600 * math.log(10), -300 * math.log(10), 0.0], rtol=1e-12)
    assert log_delta_norm({"delta_norm": np.array([0.0, 1.0])}).tolist() == [-math.inf, 0.0]


def test_regression_on_a_known_line():
    fit = decay(np.log(0.5) * np.arange(9, -1, -1.0))
    assert fit.factor == pytest.approx(0.5, rel=1e-12)
    assert fit.r_squared == pytest.approx(1, rel=1e-12)
    assert fit.shape == "geometric"


def test_a_power_law_is_not_geometric():
    """Tanh at its critical point: δ^l ∝ √l."""
    rng = np.random.default_rng(0)
    layers = np.arange(1, 31)
    fit = decay(0.5 * np.log(layers) + np.cumsum(0.02 * rng.standard_normal(30)))
    assert fit.shape == "polynomial"
    assert fit.exponent == pytest.approx(0.5, abs=0.05)
    assert fit.p_geometric < 1e-4


def test_a_drift_that_is_no_power_law_is_uneven():
    increments = -1.5 - np.linspace(0, 0.3, 20)
    assert decay(walk(increments)).shape == "uneven"


def test_the_test_for_geometric_decay_keeps_its_level():
    rng = np.random.default_rng(0)
    p = [decay(walk(-0.5 + normal(rng, 12))).p_geometric for _ in range(1500)]
    assert 0.035 <= np.mean(np.array(p) < 0.05) <= 0.065


@pytest.mark.parametrize("n", [4, 5, 30])
@pytest.mark.parametrize("slope", [0.0, 1.0, -1e6])
def test_the_chance_of_a_drift_is_scipys(n, slope):
    x, rng = np.log1p(1 / np.arange(1, n + 1)), np.random.default_rng(n)
    for noise in rng.standard_normal((20, n)):
        logs = walk(slope * x + noise)
        assert decay(logs).p_geometric == pytest.approx(stats.linregress(x, logs[:-1] - logs[1:]).pvalue, rel=1e-12)


@pytest.mark.parametrize("logs", [[], [0.0], [np.nan, np.nan, 1.0], [-np.inf, 0.0]], ids=str)
def test_too_few_layers_tell_nothing(logs):
    assert math.isnan(decay(np.array(logs)).factor)


def test_pairs_without_a_logarithm_are_left_out():
    assert delta_factor(np.array([np.nan, 0.25, 0.5, 1.0])).count == 2
