"""Intervals over seeds that findings share; columns in, numbers out."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special, stats

from experiments.statistics import intervals
from experiments.statistics.factors import CONFIDENCE
from experiments.statistics.intervals import Interval


def mean(values: Any) -> Interval:
    """Return the arithmetic mean of the finite values, with the interval of `experiments.statistics.intervals.mean_interval`."""
    return intervals.mean_interval(np.asarray(values, dtype=float))


def geometric_mean(values: Any) -> Interval:
    """Return the geometric mean of the positive finite values: `mean` of their logarithms."""
    return intervals.geometric_interval(np.asarray(values, dtype=float))


def share(true: Any) -> Interval:
    """Return the share of true values, with Wilson's interval."""
    flags = np.asarray(true, dtype=bool)
    return intervals.proportion(int(flags.sum()), len(flags))


def bootstrap(values: Any, statistic: Callable[..., Any], seed: int = 0) -> Interval:
    """Return a statistic with its bootstrap interval over repetitions: percentiles at the expanded level of `mean_interval`.

    Args:
        values: one a repetition; those that are not finite are left out.
        statistic: (array, axis) -> number per row, such as numpy.median; the axis of the repetitions is the last.
        seed: of the resampling.

    Returns:
        The interval; its ends are NaN with fewer than two repetitions.

    Source: Hesterberg 2015, eq. 7.
    """
    numbers = np.asarray(values, dtype=float)
    numbers = numbers[np.isfinite(numbers)]
    n = len(numbers)
    if n < 2:
        return Interval(float(numbers[0]) if n else math.nan, math.nan, math.nan, n, "none")
    tail = float(special.ndtr(-math.sqrt(n / (n - 1)) * special.stdtrit(n - 1, (1 + CONFIDENCE) / 2)))
    drawn = stats.bootstrap(
        (numbers,), statistic, n_resamples=intervals.RESAMPLES, confidence_level=1 - 2 * tail, method="percentile",
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    low, high = drawn.confidence_interval
    center = float(statistic(numbers, axis=-1))
    return Interval(center, min(float(low), center), max(float(high), center), n, "bootstrap")
