"""What an activation is: φ, its derivative, and what is declared of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from bpcore.arrays import Array


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
