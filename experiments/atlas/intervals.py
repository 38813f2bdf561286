"""Intervals over seeds that findings share; frames and columns in, numbers out."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """Hold an estimate with its 95 % interval.

    Args:
        value: the estimate.
        low: lower end, NaN with fewer than two repetitions.
        high: upper end.
        n: repetitions that it rests on.
    """

    value: float
    low: float
    high: float
    n: int


def _finite(values: Any) -> Any:
    numbers = np.asarray(values, dtype=float)
    return numbers[np.isfinite(numbers)]


def mean(values: Any) -> Interval:
    """Return the arithmetic mean with Student's interval, over the finite values."""
    numbers = _finite(values)
    n = len(numbers)
    if n == 0:
        return Interval(math.nan, math.nan, math.nan, 0)
    center = float(numbers.mean())
    if n == 1:
        return Interval(center, math.nan, math.nan, 1)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * numbers.std(ddof=1) / math.sqrt(n))
    return Interval(center, center - half, center + half, n)


def geometric_mean(values: Any) -> Interval:
    """Return the geometric mean with Student's interval of the logarithms, over the positive finite values."""
    numbers = _finite(values)
    with np.errstate(all="ignore"):
        logs = mean(np.log(numbers[numbers > 0]))
        return Interval(float(np.exp(logs.value)), float(np.exp(logs.low)), float(np.exp(logs.high)), logs.n)


def bootstrap(values: Any, statistic: Callable[..., Any], seed: int = 0) -> Interval:
    """Return a statistic with its percentile-bootstrap interval over repetitions.

    Args:
        values: one a repetition; those that are not finite are left out.
        statistic: array, axis -> number per row, such as numpy.median.
        seed: of the resampling.

    Returns:
        The interval; its ends are NaN with fewer than two repetitions.
    """
    numbers = _finite(values)
    n = len(numbers)
    if n < 2:
        return Interval(float(numbers[0]) if n else math.nan, math.nan, math.nan, n)
    picks = np.random.default_rng(seed).integers(0, n, (RESAMPLES, n))
    replicas = statistic(numbers[picks], axis=1)
    low, high = np.quantile(replicas, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    center = float(statistic(numbers[None], axis=1)[0])
    return Interval(center, min(float(low), center), max(float(high), center), n)
