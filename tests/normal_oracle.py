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
        directions: columns of every example, which stand side by side and are batches of their own.
    """

    kind: str
    eps: float
    groups: int = 1
    after: bool = False
    directions: int = 1

    @property
    def mixes(self) -> bool:
        """Return whether what becomes of an example depends on the others."""
        return self.kind == "batch"

    def together(self, z: Array) -> Array:
        """Return z with what is normalized together along the axis before the last: examples, or the units of a group."""
        if self.mixes:
            return z.reshape(*z.shape[:-1], -1, self.directions)
        return z.reshape(*z.shape[:-2], self.groups, -1, z.shape[-1]) if self.groups > 1 else z

    def hat(self, z: Array) -> tuple[Array, Array]:
        """Return ẑ and √(v+ε) of numbers that stand as `together` puts them."""
        centered = z if self.kind == "rms" else z - mean(z)
        std = (mean(centered**2) + self.eps) ** 0.5
        return centered * (1 / std), std  # faster than as many divisions

    def __call__(self, z: Array, gamma: Array, beta: Array) -> Array:
        """Return γẑ + β."""
        return np.asarray(gamma * self.hat(self.together(z))[0].reshape(z.shape) + beta)

    def term_sizes(self, flow: Array, z: Array, gamma: Array) -> tuple[Array, Array, Array]:
        """Return the sums of absolute terms of the error at z, of ∂J/∂γ and of ∂J/∂β, from that of the error at h."""
        own, (z_hat, std) = self.together(np.abs(gamma) * flow), self.hat(self.together(z))
        size = np.abs(z_hat)
        along = own if self.kind == "rms" else own + mean(own)
        sizes = (along + size * mean(own * size)) / std
        return sizes.reshape(z.shape), (flow * size.reshape(z.shape)).mean(axis=-1, keepdims=True), flow.mean(axis=-1, keepdims=True)


def mean(z: Array) -> Array:
    """Return the mean over what is normalized together."""
    total = np.einsum("...ij->...j", z)  # faster than `sum` over few entries
    return np.asarray(total[..., None, :] / z.shape[-2])
