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
        return np.split(z, self.groups, axis=-2) if self.kind == "group" else [z]

    def over(self, part: Array) -> Array:
        """Return the mean over what is normalized together: examples, or units."""
        batch = self.kind == "batch"
        total = np.einsum("...ij->...i" if batch else "...ij->...j", part)  # faster than `sum` over few entries
        return np.asarray(total[..., :, None] / part.shape[-1] if batch else total[..., None, :] / part.shape[-2])

    def hat(self, part: Array) -> tuple[Array, Array]:
        """Return ẑ and √(v+ε) of a piece."""
        centered = part if self.kind == "rms" else part - self.over(part)
        std = (self.over(centered**2) + self.eps) ** 0.5
        return centered / std, std

    def __call__(self, z: Array, gamma: Array, beta: Array) -> Array:
        """Return γẑ + β."""
        return np.asarray(gamma * joined([self.hat(part)[0] for part in self.parts(z)]) + beta)

    def term_sizes(self, flow: Array, z: Array, gamma: Array) -> tuple[Array, Array, Array]:
        """Return the sums of absolute terms of the error at z, of ∂J/∂γ and of ∂J/∂β, from that of the error at h."""
        sizes, hats = [], []
        for own, part in zip(self.parts(np.abs(gamma) * flow), self.parts(z), strict=True):
            z_hat, std = self.hat(part)
            hats.append(np.abs(z_hat))
            along = own if self.kind == "rms" else own + self.over(own)
            sizes.append((along + hats[-1] * self.over(own * hats[-1])) / std)
        return joined(sizes), (flow * joined(hats)).mean(axis=-1, keepdims=True), flow.mean(axis=-1, keepdims=True)


def joined(parts: list[Array]) -> Array:
    """Return pieces of units as one array again."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-2)
