"""Normalization of each example by itself, over the units of its layer: LayerNorm, RMSNorm, GroupNorm, with the exact backward pass."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bpcore.arrays import Array
from bpcore.normalization import Kept, Normalization, Own, RunningStatistics, stands_after
from bpcore.ranges import at_least, positive


class ExampleStatistics(NamedTuple):
    """Keep of a normalized layer what its backward pass needs.

    Args:
        z_hat: ẑ, shape (..., n, m).
        std: √(v+ε), shape (..., groups, 1, m).
    """

    z_hat: Array
    std: Array


@dataclass(frozen=True)
class PerExample(Normalization):
    """Normalize every example over groups of units: h = γẑ + β.

    ẑ = (z − μ)/√(v+ε), over the n/groups units of a group: μ their mean and v their biased variance; or, not centered, μ = 0 and v
    their mean square.

    Args:
        name: what tables and figures call it.
        eps: ε > 0 added to v.
        groups: number of groups of units, each normalized by itself; it divides n.
        centered: whether the mean is taken away.
        after: whether it stands after φ.
    """

    name: str  # type: ignore[misc]  # a class variable of the others
    eps: float
    groups: int = 1
    centered: bool = True
    after: bool = False

    def fits(self, n: int) -> bool:
        """Return whether the groups are of equal size."""
        return n % self.groups == 0

    def initial(self, bias: Array) -> dict[str, Array]:
        """Return γ = 1, β = 0."""
        return {"gamma": np.ones_like(bias), "beta": np.zeros_like(bias)}

    def _grouped(self, z: Array) -> Array:
        """Return (..., n, m) as (..., groups, n/groups, m)."""
        *leading, n, m = z.shape
        return z.reshape(*leading, self.groups, n // self.groups, m)

    def forward(self, z: Array, own: Own) -> tuple[Array, Kept]:
        """Return h = γẑ + β, and ẑ with √(v+ε)."""
        grouped = self._grouped(z)
        centered = grouped - grouped.mean(axis=-2, keepdims=True) if self.centered else grouped
        std = np.sqrt((centered * centered).mean(axis=-2, keepdims=True) + self.eps)
        z_hat = (centered / std).reshape(z.shape)
        return own["gamma"] * z_hat + own["beta"], ExampleStatistics(z_hat, std)

    def backward(self, error: Array, own: Own, kept: Kept) -> tuple[Array, dict[str, Array]]:
        """Carry the error from h back to z, γ and β.

        With g = error ⊙ γ and means over the group: δ = (g − mean(g) − ẑ·mean(g ⊙ ẑ))/√(v+ε), without the mean(g) where nothing is
        centered; ∂J/∂γ and ∂J/∂β are the means of error ⊙ ẑ and of the error over the batch.
        """
        gradients = {"gamma": (error * kept.z_hat).mean(axis=-1, keepdims=True), "beta": error.mean(axis=-1, keepdims=True)}
        return self.backward_fixed(error, own, kept), gradients

    def backward_fixed(self, error: Array, own: Own, kept: Kept) -> Array:
        """Return δ: an example is normalized by nothing but itself."""
        g, z_hat = self._grouped(error * own["gamma"]), self._grouped(kept.z_hat)
        along = z_hat * (g * z_hat).mean(axis=-2, keepdims=True)
        if self.centered:
            along = along + g.mean(axis=-2, keepdims=True)
        delta: Array = ((g - along) / kept.std).astype(error.dtype, copy=False).reshape(error.shape)
        return delta

    def evaluate(self, z: Array, own: Own, running: RunningStatistics, layer: int) -> Array:
        """Return what training has: there are no statistics to gather."""
        h: Array = self.forward(z, own)[0]
        return h


def layer(eps: float = 1e-5, place: str = "before") -> Normalization:
    """Return layer normalization: ẑ = (z − mean z)/√(var z + ε) over the units of an example.

    Args:
        eps: ε > 0 added to the biased variance.
        place: before φ or after.

    Raises:
        ValueError: an argument is out of range.

    Source: Ba, Kiros & Hinton 2016, eq. 4.
    """
    return PerExample("layer", positive("eps", eps), after=stands_after(place))


def rms(eps: float = 1e-5, place: str = "before") -> Normalization:
    """Return root mean square normalization: ẑ = z/√(mean z² + ε) over the units of an example.

    It learns γ, as published, and β as the others do.

    Args:
        eps: ε > 0 added to the mean square.
        place: before φ or after.

    Raises:
        ValueError: an argument is out of range.

    Source: Zhang & Sennrich 2019, eq. 4.
    """
    return PerExample("rms", positive("eps", eps), centered=False, after=stands_after(place))


def group(groups: int = 2, eps: float = 1e-5, place: str = "before") -> Normalization:
    """Return group normalization: layer normalization of each of several groups of units.

    Args:
        groups: their number, ≥ 1; it divides the width.
        eps: ε > 0 added to the biased variance.
        place: before φ or after.

    Raises:
        ValueError: an argument is out of range.

    Source: Wu & He 2018, eqs. 1–6, for units in the place of channels.
    """
    return PerExample("group", positive("eps", eps), at_least("groups", groups, 1), after=stands_after(place))
