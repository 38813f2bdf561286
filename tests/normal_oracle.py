"""Normalizations by their definitions, for the oracles: every group of numbers is normalized by itself, written out."""

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Norm:
    """State a normalization.

    Args:
        kind: batch, layer, rms or group.
        eps: ε.
        groups: of units.
        after: whether it acts on φ(z).
    """

    kind: str
    eps: float
    groups: int = 1
    after: bool = False

    def parts(self, z: Array) -> list[Array]:
        """Return the pieces of units, each of which is normalized by itself in every example; all units under batch normalization."""
        return np.split(z, self.groups if self.kind == "group" else 1, axis=-2)

    def std(self, part: Array) -> Array:
        """Return √(v+ε) of a piece."""
        centered = part - self.mean(part)
        axis = -1 if self.kind == "batch" else -2
        return np.asarray(((centered**2).sum(axis=axis, keepdims=True) / part.shape[axis] + self.eps) ** 0.5)

    def mean(self, part: Array) -> Array:
        """Return μ of a piece."""
        axis = -1 if self.kind == "batch" else -2
        total = part.sum(axis=axis, keepdims=True) / part.shape[axis]
        return np.asarray(0 * total if self.kind == "rms" else total)

    def __call__(self, z: Array, gamma: Array, beta: Array) -> Array:
        """Return γẑ + β."""
        z_hat = [(part - self.mean(part)) / self.std(part) for part in self.parts(z)]
        return np.asarray(gamma * np.concatenate(z_hat, axis=-2) + beta)

    def term_sizes(self, flow: Array, z: Array, gamma: Array) -> tuple[Array, Array, Array]:
        """Return the sums of absolute terms of the error at z, of ∂J/∂γ and of ∂J/∂β, from that of the error at h."""
        parts = self.parts(z)
        hats = [np.abs(part - self.mean(part)) / self.std(part) for part in parts]
        axis = -1 if self.kind == "batch" else -2
        flows = self.parts(np.abs(gamma) * flow)
        inner = [
            (own + (self.kind != "rms") * own.mean(axis=axis, keepdims=True) + hat * (own * hat).mean(axis=axis, keepdims=True))
            / self.std(part)
            for own, hat, part in zip(flows, hats, parts, strict=True)
        ]
        z_hat = np.concatenate(hats, axis=-2)
        return np.concatenate(inner, axis=-2), (flow * z_hat).mean(axis=-1, keepdims=True), flow.mean(axis=-1, keepdims=True)
