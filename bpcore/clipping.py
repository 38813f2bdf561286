"""Gradient clipping: by value, by global norm, by the norm of each layer, or not at all.

Norms are taken per run and never over runs; the threshold arrives shaped (R, 1, 1).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bpcore import norms
from bpcore.arrays import Array, FloatArray
from bpcore.layers import Key, Layers


@dataclass(frozen=True)
class Clip:
    """Bundle a clipping rule with its threshold.

    Args:
        name: none, value, norm or layer_norm.
        threshold: c > 0; inf for none.
        apply: (gradients, c of shape (R, 1, 1)) -> clipped gradients.
        factors: for a rule that only scales each layer: (‖g‖ of each layer, each (R,); c of shape (R,)) -> the factors,
            (R,) each, exactly 1 where nothing is clipped.
    """

    name: str
    threshold: float
    apply: Callable[[Layers, Array], Layers]
    factors: Callable[[dict[int, FloatArray], Array], dict[int, Array]] | None = None


@dataclass(frozen=True)
class Clipped:
    """Report what clipping did, per run.

    Args:
        gradients: after clipping.
        before: global norm before, (R,).
        after: global norm after, (R,).
        acted: whether any entry changed, (R,) bool.
    """

    gradients: Layers
    before: FloatArray
    after: FloatArray
    acted: Array


def norms_of(gradients: Layers) -> dict[Key, FloatArray]:
    """Return ‖g‖ of every array per run, each of shape (R,)."""
    return {key: norms.norm(g) for key, g in gradients.items()}


def global_norm(gradients: Layers) -> FloatArray:
    """Return √(Σ over layers and kinds ‖g‖²) per run, shape (R,)."""
    return norms.combine(list(norms_of(gradients).values()))


def clip_gradients(clip: Clip, gradients: Layers, threshold: Array, before: FloatArray) -> Clipped:
    """Clip, and report the norm before and after and whether anything changed.

    Args:
        clip: the rule.
        gradients: of the step.
        threshold: c per run, (R, 1, 1).
        before: the global norm of `gradients`, (R,), which the caller has already.

    Returns:
        The clipped gradients and the report.
    """
    if clip.name == "none":
        return Clipped(gradients, before, before, np.zeros(before.shape, dtype=bool))
    clipped = clip.apply(gradients, threshold)
    changed = [(g != clipped[key]).any(axis=(-2, -1)) for key, g in gradients.items()]
    return Clipped(clipped, before, global_norm(clipped), np.any(changed, axis=0) & np.isfinite(before))


def none() -> Clip:
    """Return no clipping."""
    return Clip("none", np.inf, lambda gradients, threshold: gradients)


def value(threshold: float = 1.0) -> Clip:
    """Return clipping of every entry to [−c, c].

    Args:
        threshold: c > 0.

    Raises:
        ValueError: c is not a finite number > 0.

    Source: Mikolov 2012, §3.3.
    """

    def apply(gradients: Layers, c: Array) -> Layers:
        return gradients.map(lambda key, g: np.clip(g, -c, c))

    return Clip("value", _positive(threshold), apply)


def norm(threshold: float = 1.0) -> Clip:
    """Return clipping by the global norm: g ← g·min(1, c/‖g‖), ‖g‖ over all parameters.

    Args:
        threshold: c > 0.

    Raises:
        ValueError: c is not a finite number > 0.

    Source: Pascanu et al. 2013, algorithm 1.
    """

    def apply(gradients: Layers, c: Array) -> Layers:
        ratio = _ratio(c, global_norm(gradients))
        return gradients.map(lambda key, g: g * ratio)

    def factors(sizes: dict[int, FloatArray], c: Array) -> dict[int, Array]:
        return dict.fromkeys(sizes, _factor(c, norms.combine(list(sizes.values()))))

    return Clip("norm", _positive(threshold), apply, factors)


def layer_norm(threshold: float = 1.0) -> Clip:
    """Return clipping of each layer's gradient (its W, b, γ, β together) by its own norm.

    Args:
        threshold: c > 0.

    Raises:
        ValueError: c is not a finite number > 0.
    """

    def apply(gradients: Layers, c: Array) -> Layers:
        by_layer: dict[int, list[FloatArray]] = {}
        for (_, layer), size in norms_of(gradients).items():
            by_layer.setdefault(layer, []).append(size)
        ratios = {layer: _ratio(c, norms.combine(parts)) for layer, parts in by_layer.items()}
        return gradients.map(lambda key, g: g * ratios[key[1]])

    def factors(sizes: dict[int, FloatArray], c: Array) -> dict[int, Array]:
        return {layer: _factor(c, size) for layer, size in sizes.items()}

    return Clip("layer_norm", _positive(threshold), apply, factors)


def _positive(threshold: float) -> float:
    if not (np.isfinite(threshold) and threshold > 0):
        raise ValueError(f"`threshold` must be a finite number > 0, got {threshold}")
    return float(threshold)


def _ratio(c: Array, size: FloatArray) -> Array:
    """Return min(1, c/‖g‖) in the dtype of c, exactly 1 where the norm is within c."""
    return _factor(c, size[..., None, None])


def _factor(c: Array, size: FloatArray) -> Array:
    return np.where(size > c, c / np.where(size > 0, size, 1.0), 1.0).astype(c.dtype)
