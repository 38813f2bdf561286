"""A first verdict on a run, from its factor, its depth and the state of its layers at initialization."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from experiments.statistics import Factor

END_TO_END = 10.0
PER_LAYER = 2.0
"""A net counts as vanishing or exploding where the norm of δ changes at least tenfold from one end to the other, however
slowly, or at least twofold per layer, however few the layers: more of them would make it tenfold soon."""


@dataclass(frozen=True)
class Verdict:
    """Hold a verdict and its reason in one sentence."""

    name: str
    reason: str


def judge(step0: pd.DataFrame, factor: Factor, diverged_at_step: int | None) -> Verdict:
    """Judge one run.

    In this order: diverged (a loss or gradient is not finite), dead (a hidden layer all of whose units are 0 on every
    example), underflowed (a layer whose δ is exactly 0 everywhere although no layer is dead), saturated (δ shrinks
    and most of a hidden layer lies where φ′ is below 5 % of its maximum), vanishing or exploding (the end-to-end ratio is
    beyond tenfold or the factor beyond twofold, and the factor's interval, where there is one, excludes 1), else stable.

    Args:
        step0: rows of the layers table at step 0, layers 1…L.
        factor: the per-layer factor at step 0.
        diverged_at_step: of the run, or None.

    Returns:
        The verdict.
    """
    if diverged_at_step is not None:
        return Verdict("diverged", f"loss or gradients left the finite numbers at step {diverged_at_step}")
    layers = step0[step0["layer"] > 0]
    hidden = layers[layers["layer"] < layers["layer"].max()]
    if (hidden["dead"] == 1).any():
        layer = int(hidden.loc[hidden["dead"] == 1, "layer"].min())
        return Verdict("dead", f"every unit of layer {layer} is 0 on every example, so nothing flows back through it")
    underflowed = layers[layers["delta_norm"] == 0]
    if len(underflowed):
        return Verdict("underflowed", f"δ is below the smallest number from layer {int(underflowed['layer'].max())} down")
    if factor.count == 0:
        return Verdict("stable", "fewer than two hidden layers: there is no factor between hidden layers")
    return _by_factor(hidden, factor)


def _by_factor(hidden: pd.DataFrame, factor: Factor) -> Verdict:
    interval = "" if math.isnan(factor.low) else f" (95 % {_interval(factor)})"
    ratio = f"end to end {factor.end_to_end:.3g}"
    if _shrinks(factor):
        shrinks = f"δ shrinks {1 / factor.value:.3g}× per layer toward the input{interval}, {ratio}"
        saturated = hidden["saturated"].max()
        if saturated > 0.5 and _saturates(hidden):
            layer = int(hidden.loc[hidden["saturated"] == saturated, "layer"].min())
            return Verdict("saturated", f"{shrinks}; {saturated:.0%} of layer {layer} is saturated")
        return Verdict("vanishing", shrinks)
    if (factor.end_to_end >= END_TO_END or factor.value >= PER_LAYER) and not factor.low <= 1:
        return Verdict("exploding", f"δ grows {factor.value:.3g}× per layer toward the input{interval}, {ratio}")
    return Verdict("stable", f"δ changes {factor.value:.3g}× per layer toward the input{interval}, {ratio}")


def _shrinks(factor: Factor) -> bool:
    return (factor.end_to_end <= 1 / END_TO_END or factor.value <= 1 / PER_LAYER) and not factor.high >= 1


def _saturates(hidden: pd.DataFrame) -> bool:
    """Tell saturation by large |z| from a rectifier's zeros, which are half of all entries at any scale."""
    spread = np.sqrt(hidden["z_var"] + hidden["z_mean"] ** 2).max()
    return bool(spread > 2) and not bool((hidden["zero"] > 0.25).any())


def _interval(factor: Factor) -> str:
    """Write the interval as its sentence does: of the shrinking, 1/factor, where δ shrinks considerably."""
    ends = (factor.low, factor.high)
    if _shrinks(factor):
        ends = (1 / factor.high, 1 / factor.low)
    return f"{ends[0]:.3g}–{ends[1]:.3g}"
