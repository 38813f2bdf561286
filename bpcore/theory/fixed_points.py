"""Fixed points q* of the length map, with their stability: none, one, or several.

Piecewise linear φ have one fixed point σ_b²/(1−χ) below χ = 1 and none above; at χ = 1 without biases every q is one.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from bpcore.activations import Activation
from bpcore.arrays import FloatArray
from bpcore.theory.maps import length_slope, mean_square_slope, second_moment, second_moments, slopes

_GRID: FloatArray = np.geomspace(1e-10, 1e10, 1201)
_MARGIN = 1e-9


@dataclass(frozen=True)
class FixedPoint:
    """Hold a fixed point of the length map.

    Args:
        q: q* ≥ 0; NaN where every q is a fixed point.
        slope: dq^(l+1)/dq^l there.
    """

    q: float
    slope: float

    @property
    def stability(self) -> str:
        """Return stable, marginal or unstable, as the slope is below, at or above 1."""
        if abs(self.slope - 1) <= _MARGIN:
            return "marginal"
        return "stable" if abs(self.slope) < 1 else "unstable"


def fixed_points(phi: Activation, sigma_w2: float, sigma_b2: float) -> tuple[FixedPoint, ...]:
    """Return all q* with q = σ_w² E[φ(√q Z)²] + σ_b², in ascending order.

    Args:
        phi: the activation.
        sigma_w2: σ_w² ≥ 0.
        sigma_b2: σ_b² ≥ 0.

    Returns:
        The fixed points between 1e-10 and 1e10, and 0 where it is one; two that lie within 4 % of each other (just
        before they meet and vanish) may be missed. Empty where q grows without bound.

    Source: Poole et al. 2016, eq. 3.
    """
    from scipy.optimize import brentq  # costly to import, and runs do without

    a = slopes(phi)
    if a is not None:
        return _linear(sigma_w2 * mean_square_slope(a), sigma_b2)
    if sigma_w2 == 0:
        return (FixedPoint(sigma_b2, 0.0),)

    def excess(q: float) -> float:
        return sigma_w2 * second_moment(phi, q) + sigma_b2 - q

    found: list[FixedPoint] = []
    if sigma_b2 == 0 and float(phi.value(np.zeros(()))) == 0:
        found.append(FixedPoint(0.0, length_slope(phi, 0.0, sigma_w2)))
    values = sigma_w2 * _on_grid(phi) + sigma_b2 - _GRID
    relative = values / _GRID
    signs = np.sign(np.where(np.abs(relative) < 1e-13, 0.0, relative))
    for i in np.flatnonzero(signs[:-1] * signs[1:] < 0):
        q = float(brentq(excess, _GRID[i], _GRID[i + 1], xtol=1e-300, rtol=1e-14))
        found.append(FixedPoint(q, length_slope(phi, q, sigma_w2)))
    found += [FixedPoint(float(_GRID[i]), length_slope(phi, float(_GRID[i]), sigma_w2)) for i in _isolated_zeros(signs)]
    return tuple(sorted(found, key=lambda point: point.q))


@functools.lru_cache(maxsize=64)
def _on_grid(phi: Activation) -> FloatArray:
    """Return E[φ(√q Z)²] on the grid, which the maps of every σ_w² and σ_b² share."""
    return second_moments(phi, _GRID)


def _isolated_zeros(signs: FloatArray) -> list[int]:
    """Return where a grid point is itself a fixed point; a run of zeros (the rounding at q → 0) is none."""
    zero = signs == 0
    return [i for i in range(1, len(signs) - 1) if zero[i] and not zero[i - 1] and not zero[i + 1] and signs[i - 1] * signs[i + 1] < 0]


def _linear(chi: float, sigma_b2: float) -> tuple[FixedPoint, ...]:
    if abs(chi - 1) <= _MARGIN:
        return (FixedPoint(math.nan, 1.0),) if sigma_b2 == 0 else ()
    if chi < 1:
        return (FixedPoint(sigma_b2 / (1 - chi), chi),)
    return (FixedPoint(0.0, chi),) if sigma_b2 == 0 else ()


def limit(phi: Activation, sigma_w2: float, sigma_b2: float, q1: float = 1.0) -> float:
    """Return the fixed point to which q flows from q¹ as layers go by.

    The length map of every activation here is increasing, so q moves monotonically to the next fixed point.

    Args:
        phi: the activation.
        sigma_w2: σ_w² ≥ 0.
        sigma_b2: σ_b² ≥ 0.
        q1: where it starts, > 0.

    Returns:
        q*; q¹ itself where every q is a fixed point; infinite where q grows without bound.
    """
    points = fixed_points(phi, sigma_w2, sigma_b2)
    if any(math.isnan(point.q) for point in points):
        return q1
    ahead = sigma_w2 * second_moment(phi, q1) + sigma_b2
    if abs(ahead - q1) <= 1e-14 * q1:
        return q1
    if ahead > q1:
        return min((point.q for point in points if point.q >= q1), default=math.inf)
    return max((point.q for point in points if point.q <= q1), default=0.0)
