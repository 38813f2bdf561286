"""The signal: what δ is at initialization, of a run or of a setting's runs over seeds, with its reason in one sentence.

States come first, in this order: *diverged* (a loss or gradient is not finite before any update), *zero_weights* (δ = Wᵀδ is 0 because
W is), *dead* (a layer all of whose units are 0 on every example because z ≤ 0 there), *underflowed* (δ, or z on the way up, is exactly
0 because it fell below the smallest number). Else `rule` decides by the factor f per layer toward the input; with fewer than two hidden
layers there is *none*. Vanishing whose cause is seen is *saturated*: most units of a layer at |φ′| below 5 % of its maximum, by large |z|,
where φ is flat at both ends; a rectifier's zeros are no saturation.

Under a normalization δ at z carries the unit of z: inputs in another unit change it and no output, loss or update of a normalized net.
The factor is then that of ‖δ^l‖ · sd(z^l), which stays when z is rescaled.

A setting's runs: what most of them are; where no name holds in more than half, a state that holds in at least half, else the rule above
with the interval over seeds (from 3 seeds on; below, that within the runs).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bpcore.activations import Activation
from experiments.diagnosis.rule import Signal, by_factor
from experiments.statistics.factors import Factor, log_delta_norm, log_factor
from experiments.text.numbers import from_log, number, percent

if TYPE_CHECKING:  # costly to import, and workers do without
    import pandas as pd

ALIKE = 2.0
"""How many times as fast weights must move to be called faster."""

MOST = 0.5
"""Share of a layer's entries from which on it is called saturated: most of its units hardly pass an error on."""

LARGE = 2.0
"""Root mean square of z above which it is large |z| that saturates: tanh is flat (|φ′| < 5 %) from |z| = 2.2 on, and no φ before it."""


@dataclass(frozen=True)
class Nature:
    """Hold what decides how a measurement is to be read.

    Args:
        flat: whether φ of the hidden layers is flat at both ends, so that it can saturate; or the layers where it is.
        output_dies: whether φ of the output is 0 and has no slope on a whole side.
        normalized: whether hidden layers are normalized.
        span: layers of a block of a residual net, whose sums alone are compared.
        joined: the layers that are added to a sum, past which an error goes whatever their weights are.
        bypassed: the layers past whose φ an error goes.
    """

    flat: bool | frozenset[int] = True
    output_dies: bool = False
    normalized: bool = False
    span: int = 1
    joined: frozenset[int] = frozenset()
    bypassed: frozenset[int] = frozenset()

    def passes(self, layer: Any) -> Any:
        """Return whether every error passes through a layer, by its number: those inside of blocks are passed by."""
        return (layer - 1) % self.span == 0


PLAIN = Nature()


def is_flat(phi: Activation) -> bool:
    """Return whether φ is flat at both ends, as the sigmoid is and a rectifier is not, one that ends at 6 included: its zeros are usual."""
    return phi.slopes == (0.0, 0.0) and not can_die(phi)


def can_die(phi: Activation) -> bool:
    """Return whether φ is 0, with no slope, on a whole side: what a unit does not come back from."""
    return phi.slopes[0] == 0 and bool(phi.value(np.array([-1.0]))[0] == 0)


def signal_factor(step0: Any, nature: Nature = PLAIN) -> Factor:
    """Return the factor per hidden layer that the signal is judged by.

    Args:
        step0: rows of the layers table at step 0, layers 0…L.
        nature: of the run.

    Returns:
        That of δ; under a normalization that of ‖δ^l‖ · sd(z^l).
    """
    logs = log_delta_norm(step0)[1:-1]
    if nature.normalized:
        with np.errstate(all="ignore"):
            logs = logs + 0.5 * np.log(np.asarray(step0["z_var"], dtype=np.float64)[1:-1])
    return log_factor(logs, nature.span)


def judge(
    step0: "pd.DataFrame | Mapping[str, Any]", factor: Factor, diverged: bool = False, theory: float = math.nan, nature: Nature = PLAIN
) -> Signal:
    """Judge δ of one run before any update.

    Args:
        step0: rows of the layers table at step 0, layer 0 or 1 to L; a frame, or a mapping of arrays.
        factor: `signal_factor` of it.
        diverged: whether a loss or gradient is not finite at step 0.
        theory: the predicted factor, for the sentence alone; NaN where there is none.
        nature: how the measurements are to be read.

    Returns:
        The signal.
    """
    if diverged:
        return Signal("diverged", "the loss or a gradient is not a finite number before any update")
    layer = np.asarray(step0["layer"])
    norms = np.asarray(step0["delta_norm"])
    zero = _below_zero_weights(step0, layer, norms, nature)
    if zero:
        return Signal(
            "zero_weights", f"every weight of layer {zero} is 0, so that no error goes down through it: δ is 0 in layer {zero - 1}"
        )
    hidden = (layer > 0) & (layer < layer.max())
    dead = (hidden & ~np.isin(layer, sorted(nature.bypassed))) | (nature.output_dies & (layer == layer.max()))
    dead &= np.asarray(step0["dead"]) == 1
    if dead.any():
        return _first_dead(step0, int(layer[dead].min()), layer)
    gone = (layer > 0) & (norms == 0) & (nature.passes(layer) | (layer == layer.max()))
    if gone.any():
        return Signal("underflowed", _underflowed(step0, int(layer[gone].max()), layer))
    flat = hidden & (nature.flat if isinstance(nature.flat, bool) else np.isin(layer, sorted(nature.flat)))
    saturated = _saturated_layer(step0, layer, flat) if flat.any() else ""
    if factor.count == 0:
        if saturated:
            return Signal("saturated", f"{saturated}, so that little of the error passes")
        return Signal("none", "fewer than two hidden layers: there is no factor between hidden layers")
    what = "δ·sd(z)" if nature.normalized else "δ"
    found = by_factor(factor, int(layer.max()) - 1, math.nan if nature.normalized else theory, saturated, what=what)
    weights = _weights(step0, layer) if found.name != "stable" else ""
    return Signal(found.name, f"{found.reason}; {weights}") if weights else found


def _below_zero_weights(step0: Any, layer: "np.ndarray[Any, Any]", norms: "np.ndarray[Any, Any]", nature: Nature) -> int:
    """Return the topmost layer whose weights are 0 and which passes no error on, or 0."""
    if "weight_norm" not in step0:
        return 0
    still = (np.asarray(step0["weight_norm"]) == 0) & (layer > 1) & ~np.isin(layer, sorted(nature.joined))
    passed = np.roll(norms, 1)  # δ of the layer below
    found = layer[still & (passed == 0)]
    return int(found.max()) if len(found) else 0


def _weights(step0: Any, layer: "np.ndarray[Any, Any]") -> str:
    """Say how fast the weights of layer 1 move against those of the last hidden layer, as measured."""
    equal = np.asarray(step0.get("equal_units", np.zeros(len(layer))), dtype=np.float64)
    if (equal[(layer > 0) & (layer < layer.max())] == 1).any():
        return ""  # the errors of equal units cancel in the sums below, and what rounding leaves of them is no speed
    for column, what in (("update_ratio", "‖ΔW‖/‖W‖"), ("weight_grad_norm", "‖∂J/∂W‖")):
        if column not in step0:
            continue
        values = np.asarray(step0[column], dtype=np.float64)
        first, last = float(values[layer == 1][0]), float(values[layer == layer.max() - 1][0])
        if not (0 < first < math.inf and 0 < last < math.inf):
            continue
        ratio, pair = last / first, f"{what} {number(first)} against {number(last)}"
        if ratio >= ALIKE:
            return f"its weights learn {number(ratio)}× slower ({pair})"
        return (
            f"its weights move {number(1 / ratio)}× faster ({pair})" if ratio <= 1 / ALIKE else f"its weights learn about as fast ({pair})"
        )
    return ""


def _first_dead(step0: Any, first: int, layer: "np.ndarray[Any, Any]") -> Signal:
    """Tell a layer that is switched off, z ≤ 0, from one whose z is 0 because products fell below the smallest number."""
    row = int(np.flatnonzero(layer == first)[0])
    at = {name: float(np.asarray(step0[name])[row]) for name in ("z_mean", "z_var", "weight_norm") if name in step0}
    if at.get("z_mean") == 0 and at.get("z_var") == 0 and at.get("weight_norm", 0.0) > 0:
        return Signal("underflowed", f"z is below the smallest number from layer {first} up, so no signal goes on and no error comes back")
    where = "the output" if first == layer.max() else f"layer {first}"
    return Signal("dead", f"every unit of {where} is 0 on every example, so no error flows back through it")


def _underflowed(step0: Any, top: int, layer: "np.ndarray[Any, Any]") -> str:
    text = f"δ is exactly 0 from layer {top} down to layer 1, below the smallest number"
    logs = log_delta_norm(step0)[layer == 1]
    return f"{text}; in extended range it is {from_log(logs[0])} in layer 1" if len(logs) and math.isfinite(logs[0]) else text


def _saturated_layer(step0: Any, layer: "np.ndarray[Any, Any]", hidden: "np.ndarray[Any, Any]") -> str:
    """Name the most saturated hidden layer if most of it is, by large |z|; else nothing."""
    share = np.asarray(step0["saturated"], dtype=np.float64)
    most = hidden & (share > MOST)
    if not most.any():
        return ""
    worst = int(np.argmax(np.where(most, share, 0.0)))
    with np.errstate(all="ignore"):
        spread = np.sqrt(np.asarray(step0["z_var"])[hidden] + np.asarray(step0["z_mean"])[hidden] ** 2).max()
    return f"{percent(share[worst])} of layer {layer[worst]} is saturated" if spread > LARGE else ""
