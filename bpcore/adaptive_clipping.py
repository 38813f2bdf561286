"""Clipping by what a net itself is like: by the size of each unit's weights, or by the norms of its gradient so far."""

from dataclasses import dataclass

import numpy as np

from bpcore import norms
from bpcore.arrays import Array, FloatArray
from bpcore.clipping import Clip, Past, Scaling, factor
from bpcore.layers import Key, Layers
from bpcore.ranges import positive


@dataclass(frozen=True)
class Adaptive(Clip):
    """Limit the gradient of each unit by the size of its weights."""

    name = "adaptive"
    constants = ("eps",)
    threshold: float
    eps: float

    def apply(self, gradients: Layers, c: Array, parameters: Layers, past: Past) -> Layers:
        """Return g_i·min(1, c·max(‖w_i‖, ε)/‖g_i‖) for each unit i: a row of W, or b, γ or β as a whole."""

        def by_unit(key: Key, g: Array) -> Array:
            size, own = _units(key, g), _units(key, parameters[key])
            limited: Array = g * factor(c * np.maximum(own, self.eps), size).astype(g.dtype)
            return limited

        return gradients.map(by_unit)


def _units(key: Key, array: Array) -> FloatArray:
    """Return the norm of each unit's part of an array: (R, n_l, 1) for weights, (R, 1, 1) else."""
    if key[0] == "W":
        return norms.norm(array[:, :, None, :])[..., None]
    return norms.norm(array)[..., None, None]


@dataclass(frozen=True)
class ByPercentile(Scaling):
    """Limit the norm of all gradients together by a percentile of what it has been."""

    name = "percentile"
    remembers = True
    threshold: float

    def factors(self, sizes: dict[int, FloatArray], c: Array, past: Past) -> dict[int, Array]:
        """Return min(1, s/‖g‖) for every layer, s the c-th percentile of the norms so far, this one included; c = ∞ clips nothing."""
        whole = norms.combine(list(sizes.values()))
        limits = [_percentile(np.append(known, now), float(p)) for known, now, p in zip(past, whole, c, strict=True)]
        return dict.fromkeys(sizes, factor(np.array(limits), whole).astype(c.dtype))


def _percentile(values: FloatArray, p: float) -> float:
    return float(np.percentile(values, min(p, 100))) if np.isfinite(values).all() else np.inf


def adaptive(threshold: float = 0.01, eps: float = 1e-3) -> Clip:
    """Return adaptive gradient clipping: g_i ← g_i·min(1, c·max(‖w_i‖, ε)/‖g_i‖) for each unit i.

    A unit is a row of W; b, γ and β are each taken as a whole, as in the authors' code. All layers are clipped, the output layer too,
    which the authors leave out.

    Args:
        threshold: c > 0, λ in the paper.
        eps: ε > 0, which lets weights of zero move.

    Raises:
        ValueError: an argument is out of range.

    Source: Brock et al. 2021, eq. 3.
    """
    return Adaptive(positive("threshold", threshold), positive("eps", eps))


def percentile(percentile: float = 10.0) -> Clip:
    """Return clipping of the global norm by a percentile of the norms of all steps so far, this one included.

    g ← g·min(1, s_t/‖g_t‖), s_t the p-th percentile of ‖g_1‖…‖g_t‖, between two of them interpolated.

    Args:
        percentile: p in (0, 100].

    Raises:
        ValueError: p is out of range.

    Source: Seetharaman et al. 2020, §3 (AutoClip).
    """
    if not 0 < percentile <= 100:
        raise ValueError(f"`percentile` must lie in (0, 100], got {percentile}")
    return ByPercentile(float(percentile))
