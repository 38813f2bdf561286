"""The rule on a factor: whether δ vanishes, explodes or keeps its size; and the factor of a setting's runs.

Given the factor f per layer toward the input, with its 95 % interval and the end-to-end ratio R = f^(D−1):

1. *Large enough?* |ln R| ≥ END_TO_END, or |ln f| ≥ PER_LAYER.
2. *More than chance?* f's interval excludes 1. For shrinking, it must do so for the arithmetic factor too, ln f + v, v being the
   variance of ln f over weights: at a critical initialization (He with ReLU) E‖δ‖² is preserved, and a typical run then
   drifts down by v per layer, as every product of random factors does; that is finite width, not a vanishing gradient.
   Both are waived where |ln R| ≥ WITHOUT_DOUBT.

Both hold: *vanishing* or *exploding*; *saturated* is vanishing whose cause is seen. Else *stable*. NaN never counts as small.

Source: Nielsen 2015 ch. 5 (rates per layer); Hanin & Nica 2018 (v, the drift at finite width).
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
"""Makes the rule one of depth: 1.21× a layer is tenfold from 14 hidden layers on, and harmless in 5. It lies below the twentyfold (e³) that
Schoenholz et al. 2017 find trainable, 6ξ layers deep."""

PER_LAYER = math.log(2)
"""Speaks where there are few layers: 4.7× between two is the disease itself."""

WITHOUT_DOUBT = math.log(1000)
"""What has happened needs no inference, however unevenly it came about."""

KEEPS = 0.01
"""|ln f| up to which δ is said to keep its size: a hundredth a layer is no rate that a reader would see."""

SEEDS_FOR_AN_INTERVAL = 3
"""From so many on the interval is over them: the spread of two tells next to nothing, t being 12.7 there."""


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
    if certain and abs(mean) > KEEPS:
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
