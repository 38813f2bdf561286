"""What an activation is: φ, its derivative, and what is declared of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bpcore.arrays import Array, FloatArray


@dataclass(frozen=True)
class Bounds:
    """Hold the range of a derivative, and whether its ends are attained.

    Args:
        low: infimum of φ′.
        high: supremum of φ′; infinite where it has none, and what needs one is then NaN or infinite too.
        low_attained: whether some z reaches the infimum.
        high_attained: whether some z reaches the supremum.
    """

    low: float
    high: float
    low_attained: bool = True
    high_attained: bool = True

    def __str__(self) -> str:
        """Write the range as an interval, for example ``(0, 0.25]``."""
        left, right = "[" if self.low_attained else "(", "]" if self.high_attained else ")"
        ends = (f"{end:.4g}".replace("inf", "∞") for end in (self.low, self.high))
        return f"{left}{', '.join(ends)}{right}"


@dataclass(frozen=True)
class Activation:
    """Bundle an activation with its derivative and what is known of it.

    Args:
        name: what tables and figures call it.
        value: φ, elementwise; same shape and dtype as its argument.
        prime: φ′, elementwise; at a kink, the derivative from the left.
        kinks: where φ is not smooth; quadrature splits there and gradient checks stay off it.
        bounds: range of φ′ over the real line.
        slopes: (φ′(−∞), φ′(+∞)); NaN where it is not declared, and theory then has no value that needs it.
        homogeneous: whether φ(cz) = cφ(z) for c > 0. φ is then linear on either side of 0, with the two slopes.
        bends: where quadrature splits besides, because φ still bends there: one that nears its limits as a power of z has no scale
            beyond which it is flat.
    """

    name: str
    value: Callable[[Array], Array]
    prime: Callable[[Array], Array]
    kinks: tuple[float, ...]
    bounds: Bounds
    slopes: tuple[float, float] = (math.nan, math.nan)
    homogeneous: bool = False
    bends: tuple[float, ...] = ()

    @property
    def max_prime(self) -> float:
        """Return sup |φ′|, the γ of the bound ‖δ^l‖ ≤ γ ‖W^(l+1)‖₂ ‖δ^(l+1)‖ (Pascanu et al. 2013); infinite where there is none."""
        return max(abs(self.bounds.low), abs(self.bounds.high))

    @property
    def breaks(self) -> tuple[float, ...]:
        """Return where quadrature is to split: kinks and bends."""
        return (*self.kinks, *self.bends)

    @property
    def steep(self) -> bool:
        """Return whether φ′ has no bound: units then have no share of it at which they are saturated, and means of φ² may overflow."""
        return math.isinf(self.max_prime)


Phis = Activation | tuple[Activation, ...]
"""φ of all hidden layers, or of each, from the first."""


def by_layer(phi: Phis, hidden: int) -> tuple[Activation, ...]:
    """Return φ of every hidden layer.

    Args:
        phi: of all, or of each.
        hidden: the number of hidden layers, D.

    Returns:
        φ of layers 1…D.

    Raises:
        ValueError: another number of them is given.
    """
    if isinstance(phi, Activation):
        return (phi,) * hidden
    if len(phi) != hidden:
        raise ValueError(f"{len(phi)} activations for {hidden} hidden layers")
    return phi


def at_layer(phi: Phis, layer: int) -> Activation:
    """Return φ of a hidden layer, from 1."""
    return phi if isinstance(phi, Activation) else phi[layer - 1]


def of_each(function: Callable[[Activation, FloatArray], FloatArray], phi: Phis, q: FloatArray) -> FloatArray:
    """Return a function of φ and a number, layer by layer; layers of one φ are computed together.

    Args:
        function: (φ, values) -> values, elementwise.
        phi: of all layers or of each.
        q: one value a layer, shape (D,).

    Returns:
        Shape (D,).
    """
    phis = by_layer(phi, len(q))
    if len(set(phis)) == 1:
        return function(phis[0], q)
    found = np.empty(len(q))
    for own in set(phis):
        places = [place for place, other in enumerate(phis) if other == own]
        found[places] = function(own, q[places])
    return found
