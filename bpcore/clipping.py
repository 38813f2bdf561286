"""Gradient clipping: by value, by global norm, by the norm of each layer, or not at all; see `adaptive_clipping` for more.

Norms are taken per run and never over runs; the threshold arrives shaped (R, 1, 1).
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bpcore import norms
from bpcore.arrays import Array, FloatArray
from bpcore.layers import Key, Layers
from bpcore.ranges import positive

Past = Sequence[FloatArray]
"""The global norms of the steps before, one array a run; empty for rules that do not look at them."""


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


def layer_norms(gradients: Layers) -> dict[int, FloatArray]:
    """Return ‖g‖ of each layer's gradients (W, b, γ, β together) per run, each of shape (R,)."""
    by_layer: dict[int, list[FloatArray]] = {}
    for (_, layer), size in norms_of(gradients).items():
        by_layer.setdefault(layer, []).append(size)
    return {layer: norms.combine(parts) for layer, parts in by_layer.items()}


def global_norm(gradients: Layers) -> FloatArray:
    """Return √(Σ over layers and kinds ‖g‖²) per run, shape (R,)."""
    return norms.combine(list(norms_of(gradients).values()))


class Clip(ABC):
    """Say how gradients are limited by a threshold."""

    name: ClassVar[str]
    """What tables and figures call it."""
    acts: ClassVar[bool] = True
    """Whether it ever changes a gradient."""
    scales: ClassVar[bool] = False
    """Whether all that it does is to scale the gradient of each layer, by `factors`."""
    remembers: ClassVar[bool] = False
    """Whether it looks at the norms of the steps before."""
    constants: ClassVar[tuple[str, ...]] = ()
    """Names of what the rule is given besides the threshold."""
    threshold: float
    """c > 0; inf where there is none."""

    @abstractmethod
    def apply(self, gradients: Layers, c: Array, parameters: Layers, past: Past) -> Layers:
        """Return clipped gradients.

        Args:
            gradients: of the step.
            c: threshold per run, (R, 1, 1).
            parameters: before the update.
            past: the global norms of the steps before, where the rule `remembers`: one array a run.
        """

    def factors(self, sizes: dict[int, FloatArray], c: Array, past: Past) -> dict[int, Array]:
        """Return the factor of each layer, where the rule `scales`.

        Args:
            sizes: ‖g‖ of each layer, (R,) each.
            c: threshold per run, (R,).
            past: as for `apply`.

        Returns:
            (R,) each, exactly 1 where nothing is clipped.

        Raises:
            NotImplementedError: the rule does more than scale.
        """
        raise NotImplementedError(f"clip={self.name} does more than scale layers")

    def clip(self, gradients: Layers, c: Array, before: FloatArray, parameters: Layers, past: Past) -> Clipped:
        """Clip, and report the norm before and after and whether anything changed.

        Args:
            gradients: of the step.
            c: threshold per run, (R, 1, 1).
            before: the global norm of `gradients`, (R,), which the caller has already.
            parameters: before the update.
            past: the global norms of the steps before, where the rule `remembers`: one array a run.

        Returns:
            The clipped gradients and the report.
        """
        clipped = self.apply(gradients, c, parameters, past)
        changed = [(g != clipped[key]).any(axis=(-2, -1)) for key, g in gradients.items()]
        return Clipped(clipped, before, global_norm(clipped), np.any(changed, axis=0) & np.isfinite(before))


class Scaling(Clip):
    """Limit by factors, one a layer."""

    scales = True

    def apply(self, gradients: Layers, c: Array, parameters: Layers, past: Past) -> Layers:
        """Return g · factor."""
        factors = self.factors(layer_norms(gradients), c[..., 0, 0], past)
        return gradients.map(lambda key, g: g * factors[key[1]][..., None, None])


@dataclass(frozen=True)
class Off(Clip):
    """Clip nothing."""

    name = "none"
    acts = False
    threshold: float = np.inf

    def apply(self, gradients: Layers, c: Array, parameters: Layers, past: Past) -> Layers:
        """Return the gradients themselves."""
        return gradients

    def clip(self, gradients: Layers, c: Array, before: FloatArray, parameters: Layers, past: Past) -> Clipped:
        """Return the gradients themselves, with nothing to report."""
        return Clipped(gradients, before, before, np.zeros(before.shape, dtype=bool))


@dataclass(frozen=True)
class ByValue(Clip):
    """Limit every entry to [−c, c]."""

    name = "value"
    threshold: float

    def apply(self, gradients: Layers, c: Array, parameters: Layers, past: Past) -> Layers:
        """Return min(max(g, −c), c)."""
        return gradients.map(lambda key, g: np.clip(g, -c, c))


@dataclass(frozen=True)
class ByNorm(Scaling):
    """Limit the norm of all gradients together."""

    name = "norm"
    threshold: float

    def factors(self, sizes: dict[int, FloatArray], c: Array, past: Past) -> dict[int, Array]:
        """Return min(1, c/‖g‖) for every layer, ‖g‖ over all of them."""
        return dict.fromkeys(sizes, factor(c, norms.combine(list(sizes.values()))))


@dataclass(frozen=True)
class PerLayer(Scaling):
    """Limit the norm of each layer's gradient by itself."""

    name = "per_layer"
    threshold: float

    def factors(self, sizes: dict[int, FloatArray], c: Array, past: Past) -> dict[int, Array]:
        """Return min(1, c/‖g^l‖) for each layer l."""
        return {layer: factor(c, size) for layer, size in sizes.items()}


def none() -> Clip:
    """Return no clipping."""
    return Off()


def value(threshold: float = 1.0) -> Clip:
    """Return clipping of every entry to [−c, c].

    Args:
        threshold: c > 0.

    Raises:
        ValueError: c is not a finite number > 0.

    Source: Mikolov 2012, §3.3.
    """
    return ByValue(positive("threshold", threshold))


def norm(threshold: float = 1.0) -> Clip:
    """Return clipping by the global norm: g ← g·min(1, c/‖g‖), ‖g‖ over all parameters.

    Args:
        threshold: c > 0.

    Raises:
        ValueError: c is not a finite number > 0.

    Source: Pascanu et al. 2013, algorithm 1.
    """
    return ByNorm(positive("threshold", threshold))


def per_layer(threshold: float = 1.0) -> Clip:
    """Return clipping of each layer's gradient (its W, b, γ, β together) by its own norm.

    Earlier it was called layer_norm; with LayerNorm it has nothing to do.

    Args:
        threshold: c > 0.

    Raises:
        ValueError: c is not a finite number > 0.
    """
    return PerLayer(positive("threshold", threshold))


def factor(c: Array, size: FloatArray) -> Array:
    """Return min(1, c/‖g‖) in the dtype of c, exactly 1 where the norm is within c."""
    return np.where(size > c, c / np.where(size > 0, size, 1.0), 1.0).astype(c.dtype)
