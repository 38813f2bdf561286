"""The verdict on a run or on a setting's runs over seeds, with its reason in one sentence.

States come first, in this order: *diverged* (a loss or gradient is not finite), *dead* (a hidden layer all of whose units are
0 on every example because z ≤ 0 there), *underflowed* (δ, or z on the way up, is exactly 0 because it fell below the smallest
number). Else the factor f per layer toward the input decides, with its 95 % interval and the end-to-end ratio R = f^(D−1):

1. *Large enough?* |ln R| ≥ ln 10, or |ln f| ≥ ln 2. The first makes the rule one of depth: 1.21× a layer is tenfold from 14 hidden
   layers on, and harmless in 5. The second speaks where there are few layers: 4.7× between two is the disease itself.
2. *More than chance?* f's interval excludes 1. For shrinking, it must do so for the arithmetic factor too, ln f + v, v being the
   variance of ln f over weights: at a critical initialization (He with ReLU) E‖δ‖² is preserved, and a typical run then
   drifts down by v per layer, as every product of random factors does; that is finite width, not a vanishing gradient.
   Both are waived where R is beyond a thousandfold: what has happened needs no inference, however unevenly it came about.

Both hold: *vanishing* or *exploding*; *saturated* is vanishing whose cause is seen (most units of a layer at |φ′| below 5 % of
its maximum, by large |z|). Else *stable*. A setting's runs: a state that holds in at least half of them, else the rule above with the
interval over seeds (from 3 seeds on; below, that within the runs). NaN never counts as small.

Source: Nielsen 2015 ch. 5 (rates per layer); Hanin & Nica 2018 (v, the drift at finite width); the tenfold bound lies below the
twentyfold (e³) that Schoenholz et al. 2017 find trainable, 6ξ layers deep.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from experiments.statistics.factors import NO_FACTOR, Factor, exp, log_delta_norm, quantile
from experiments.statistics.intervals import mean_interval, proportion
from experiments.text.numbers import from_log, number, percent

END_TO_END = math.log(10)
PER_LAYER = math.log(2)
WITHOUT_DOUBT = math.log(1000)
SEEDS_FOR_AN_INTERVAL = 3
STATES = ("failed", "diverged", "dead", "underflowed")


@dataclass(frozen=True)
class Verdict:
    """Hold a verdict and its reason in one sentence."""

    name: str
    reason: str


def judge(step0: "pd.DataFrame | Mapping[str, Any]", factor: Factor, diverged_at_step: int | None, theory: float = math.nan) -> Verdict:
    """Judge one run.

    Args:
        step0: rows of the layers table at step 0, layer 0 or 1 to L; a frame, or a mapping of arrays.
        factor: the per-layer factor at step 0.
        diverged_at_step: of the run, or None.
        theory: the predicted factor, for the sentence alone; NaN where there is none.

    Returns:
        The verdict.
    """
    if diverged_at_step is not None:
        return Verdict("diverged", f"the loss or a gradient left the finite numbers at step {diverged_at_step}")
    layer = np.asarray(step0["layer"])
    hidden = (layer > 0) & (layer < layer.max())
    dead = hidden & (np.asarray(step0["dead"]) == 1)
    if dead.any():
        return _first_dead(step0, int(layer[dead].min()), layer)
    gone = (layer > 0) & (np.asarray(step0["delta_norm"]) == 0)
    if gone.any():
        return Verdict("underflowed", _underflowed(step0, int(layer[gone].max()), layer))
    saturated = _saturated_layer(step0, layer, hidden)
    if factor.count == 0:
        if saturated:
            return Verdict("saturated", f"{saturated}, so that it hardly learns")
        return Verdict("stable", "fewer than two hidden layers: there is no factor between hidden layers")
    return by_factor(factor, int(layer.max()) - 1, theory, saturated)


def _first_dead(step0: Any, first: int, layer: "np.ndarray[Any, Any]") -> Verdict:
    """Tell a layer that is switched off, z ≤ 0, from one whose z is 0 because products fell below the smallest number."""
    row = int(np.flatnonzero(layer == first)[0])
    at = {name: float(np.asarray(step0[name])[row]) for name in ("z_mean", "z_var", "weight_norm") if name in step0}
    if at.get("z_mean") == 0 and at.get("z_var") == 0 and at.get("weight_norm", 0.0) > 0:
        return Verdict("underflowed", f"z is below the smallest number from layer {first} up, so no signal goes on and no error comes back")
    return Verdict("dead", f"every unit of layer {first} is 0 on every example, so no error flows back through it")


def _underflowed(step0: Any, top: int, layer: "np.ndarray[Any, Any]") -> str:
    text = f"δ is exactly 0 from layer {top} down to layer 1, below the smallest number"
    logs = log_delta_norm(step0)[layer == 1]
    return f"{text}; in extended range it is {from_log(logs[0])} in layer 1" if len(logs) and math.isfinite(logs[0]) else text


def _saturated_layer(step0: Any, layer: "np.ndarray[Any, Any]", hidden: "np.ndarray[Any, Any]") -> str:
    """Name the most saturated hidden layer if most of it is, by large |z| and not by a rectifier's zeros; else nothing."""
    share = np.asarray(step0["saturated"], dtype=np.float64)
    most = hidden & (share > 0.5)
    if not most.any():
        return ""
    worst = int(np.argmax(np.where(most, share, 0.0)))
    with np.errstate(all="ignore"):
        spread = np.sqrt(np.asarray(step0["z_var"])[hidden] + np.asarray(step0["z_mean"])[hidden] ** 2).max()
    rectifies = (np.asarray(step0["zero"])[hidden] > 0.25).any()
    return f"{percent(share[worst])} of layer {layer[worst]} is saturated" if spread > 2 and not rectifies else ""


def by_factor(factor: Factor, depth: int, theory: float = math.nan, saturated: str = "", over: str = "") -> Verdict:
    """Judge by the factor alone.

    Args:
        factor: per layer toward the input.
        depth: hidden layers.
        theory: the predicted factor, for the sentence alone.
        saturated: what is saturated, or nothing.
        over: what the interval is over, for the sentence; nothing for the layers of one run.

    Returns:
        vanishing, saturated, exploding or stable.
    """
    mean, total = factor.log_end_to_end / factor.count, factor.log_end_to_end
    shrinks = mean < 0
    large = abs(total) >= END_TO_END or abs(mean) >= PER_LAYER
    drift = 0.0 if math.isnan(factor.log_variance) else factor.log_variance
    certain = not (math.log(factor.high) + drift >= 0 if shrinks else factor.low <= 1) if factor.high > 0 else True
    verb = "shrinks" if shrinks else "grows"
    rate = f"δ {verb} {_times(-mean if shrinks else mean)} per layer toward the input{_aside(factor, shrinks, theory, over)}"
    ratio = _times(abs(total))
    if (large and certain) or abs(total) >= WITHOUT_DOUBT:
        uneven = "" if certain else ", unevenly"
        if not shrinks:
            return Verdict("exploding", f"{rate}{uneven}: layer 1 gets an error {ratio} as large as layer {depth}")
        slow = f"{rate}{uneven}: layer 1 learns {ratio} slower than layer {depth}"
        return Verdict("saturated", f"{slow}; {saturated}") if saturated else Verdict("vanishing", slow)
    if large:
        return Verdict("stable", f"{rate}, {ratio} in all, which lies within the spread of random weights at this width and depth")
    if certain and abs(mean) > 0.01:
        bound = 1 + math.ceil(END_TO_END / abs(mean))
        return Verdict("stable", f"{rate}, {ratio} in all over {depth} hidden layers; at this rate tenfold from {bound} on")
    return Verdict(
        "stable", f"δ keeps its size: a factor of {number(exp(mean))} per layer toward the input{_aside(factor, False, theory, over)}"
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


def judge_group(runs: "Mapping[str, Any]", factor: Factor | None = None) -> Verdict:
    """Judge runs that differ in their seed alone.

    Args:
        runs: rows of the runs table; a frame or arrays.
        factor: as `group_factor` gives it, where it is known already.

    Returns:
        The verdict.
    """
    factor = group_factor(runs) if factor is None else factor
    names = ["failed" if status == "failed" else str(name) for status, name in zip(runs["status"], runs["verdict"], strict=True)]
    n = len(names)
    held = {state: names.count(state) for state in STATES if state in names}
    if 2 * sum(held.values()) >= n:
        state = max(held, key=lambda name: held[name])
        return Verdict(state, _share(state, names) + (_before(factor) if state == "diverged" else ""))
    usual = max(dict.fromkeys(names), key=names.count)
    if factor.count == 0:
        return Verdict(usual, "fewer than two hidden layers: there is no factor between hidden layers")
    theory = np.asarray(runs["delta_factor_theory"], dtype=np.float64)
    known = theory[np.isfinite(theory)]
    mostly_saturated = "most runs have a saturated layer" if 2 * names.count("saturated") > n else ""
    over = f" over {n} seeds" if n >= SEEDS_FOR_AN_INTERVAL else ""
    verdict = by_factor(factor, factor.count + 1, float(known.mean()) if len(known) else math.nan, mostly_saturated, over)
    notes = ", ".join(f"{count} of {n} runs {state}" for state, count in held.items())
    return Verdict(verdict.name, f"{verdict.reason}; {notes}") if notes else verdict


def _share(state: str, names: list[str]) -> str:
    count, n = names.count(state), len(names)
    how = "" if state in ("failed", "diverged") else "are "
    if n == 1:
        return f"the run {'is ' if how else ''}{state}"
    ends = proportion(count, n)
    others = ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names) if name != state)
    rest = f"; the others: {others}" if others else ""
    return f"{count} of {n} runs {how}{state} (95 % {100 * ends.low:.0f}–{100 * ends.high:.0f} % of all seeds{rest})"


def _before(factor: Factor) -> str:
    """Say what δ was like at step 0 in runs that diverged."""
    return "" if factor.count == 0 else f"; at step 0, {by_factor(factor, factor.count + 1).reason}"
