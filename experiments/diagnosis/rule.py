"""The rule on a factor: whether δ vanishes, explodes or keeps its size; and the factor of a setting's runs.

The thresholds and their reasons stand in `signal`, whose rule this is.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.statistics.factors import NO_FACTOR, Factor, exp, quantile
from experiments.statistics.intervals import mean_interval
from experiments.text.numbers import from_log, number

END_TO_END = math.log(10)
PER_LAYER = math.log(2)
WITHOUT_DOUBT = math.log(1000)
SEEDS_FOR_AN_INTERVAL = 3


@dataclass(frozen=True)
class Signal:
    """Hold what δ is like, and the reason in one sentence."""

    name: str
    reason: str


def by_factor(factor: Factor, depth: int, theory: float = math.nan, saturated: str = "", over: str = "", what: str = "δ") -> Signal:
    """Judge by the factor alone.

    Args:
        factor: per layer toward the input.
        depth: hidden layers.
        theory: the predicted factor, for the sentence alone.
        saturated: what is saturated, or nothing.
        over: what the interval is over, for the sentence; nothing for the layers of one run.
        what: changes by the factor.

    Returns:
        vanishing, saturated, exploding or stable.
    """
    mean, total = factor.log_end_to_end / factor.count, factor.log_end_to_end
    shrinks = mean < 0
    large = abs(total) >= END_TO_END or abs(mean) >= PER_LAYER
    drift = 0.0 if math.isnan(factor.log_variance) else factor.log_variance
    certain = not (math.log(factor.high) + drift >= 0 if shrinks else factor.low <= 1) if factor.high > 0 else True
    verb = "shrinks" if shrinks else "grows"
    rate = f"{what} {verb} {_times(-mean if shrinks else mean)} per layer toward the input{_aside(factor, shrinks, theory, over)}"
    ratio = _times(abs(total))
    if (large and certain) or abs(total) >= WITHOUT_DOUBT:
        uneven = "" if certain else ", unevenly"
        if not shrinks:
            return Signal("exploding", f"{rate}{uneven}: layer 1 gets an error {ratio} larger than layer {depth}")
        slow = f"{rate}{uneven}: layer 1 gets an error {ratio} smaller than layer {depth}"
        return Signal("saturated", f"{slow}; {saturated}") if saturated else Signal("vanishing", slow)
    if large:
        return Signal("stable", f"{rate}, {ratio} in all, which lies within the spread of random weights at this width and depth")
    if certain and abs(mean) > 0.01:
        bound = 1 + math.ceil(END_TO_END / abs(mean))
        return Signal("stable", f"{rate}, {ratio} in all over {depth} hidden layers; at this rate tenfold from {bound} on")
    return Signal(
        "stable", f"{what} keeps its size: a factor of {number(exp(mean))} per layer toward the input{_aside(factor, False, theory, over)}"
    )


def _times(log_ratio: float) -> str:
    """Write a ratio given by its logarithm, also beyond floats: 4.88×, 10^400×."""
    return f"{from_log(log_ratio)}×"


def _aside(factor: Factor, shrinks: bool, theory: float, over: str) -> str:
    """Write interval and theory as the sentence states the factor: inverted where it speaks of shrinking."""

    def as_stated(value: float) -> str:
        if shrinks:
            value = math.inf if value == 0 else 1 / value
        return number(value)

    parts = []
    if not math.isnan(factor.low):
        low, high = (factor.high, factor.low) if shrinks else (factor.low, factor.high)
        parts.append(f"95 % {as_stated(low)}–{as_stated(high)}{over}")
    if theory == theory and theory > 0:
        parts.append(f"theory {as_stated(theory)}")
    return f" ({', '.join(parts)})" if parts else ""


def factor_of(value: float, low: float, high: float, depth: int) -> Factor:
    """Restore a run's factor from the columns of the runs table, the variance from the width of the interval.

    Args:
        value: delta_factor.
        low: delta_factor_lo.
        high: delta_factor_hi.
        depth: hidden layers.

    Returns:
        The factor; that of no layers where there is none.
    """
    count = depth - 1
    if count < 1 or not value > 0 or not math.isfinite(value):
        return NO_FACTOR
    mean = math.log(value)
    variance = math.nan
    if count > 1 and low > 0 and math.isfinite(high):
        half = (math.log(high) - math.log(low)) / 2
        variance = count * (half / quantile(count)) ** 2
    return Factor(value, low, high, exp(mean * count), count, math.nan, mean * count, variance)


def group_factor(runs: "Mapping[str, Any]") -> Factor:
    """Return the factor of runs that differ in their seed alone: the geometric mean, with its interval over seeds.

    With fewer than SEEDS_FOR_AN_INTERVAL the interval is that within the runs.

    Args:
        runs: delta_factor, delta_factor_lo, delta_factor_hi and depth; a frame or arrays.

    Returns:
        The factor; `arithmetic` is that of the mean over seeds of ‖δ^1‖²/‖δ^D‖², which mean-field theory predicts.
    """
    value, low, high = (np.asarray(runs[name], dtype=np.float64) for name in ("delta_factor", "delta_factor_lo", "delta_factor_hi"))
    count = int(np.asarray(runs["depth"])[0]) - 1
    usable = np.isfinite(value) & (value > 0)
    n = int(usable.sum())
    if n == 0 or count < 1:
        return NO_FACTOR
    if n == 1:
        only = int(np.flatnonzero(usable)[0])
        return factor_of(float(value[only]), float(low[only]), float(high[only]), count + 1)
    with np.errstate(all="ignore"):
        logs, halves = np.log(value[usable]), (np.log(high[usable]) - np.log(low[usable])) / 2
    total = logs * count
    top = float(total.max())
    arithmetic = (top + 0.5 * math.log(float(np.mean(np.exp(2 * (total - top)))))) / count
    interval = mean_interval(logs)
    ends = (interval.low, interval.high)
    variance = float(total.var(ddof=1)) / count
    if n < SEEDS_FOR_AN_INTERVAL:
        parts = [
            factor_of(float(f), float(a), float(b), count + 1) for f, a, b in zip(value[usable], low[usable], high[usable], strict=True)
        ]
        half = float(np.sqrt((halves**2).sum())) / n
        if math.isfinite(half):
            ends = (interval.value - half, interval.value + half)
            variance = float(np.mean([part.log_variance for part in parts]))
    mean = interval.value
    return Factor(exp(mean), exp(ends[0]), exp(ends[1]), exp(mean * count), count, exp(arithmetic), mean * count, variance)
