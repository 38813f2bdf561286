"""The edge of chaos: where χ₁ = 1 and gradients neither vanish nor explode.

Every point of it is known by its q*: σ_w² = 1/E[φ′(√q Z)²] and σ_b² = q − σ_w² E[φ(√q Z)²]. No equation is solved for
the curve, and one in q alone for the point at a given σ_b.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from bpcore.activations import Activation
from bpcore.arrays import FloatArray
from bpcore.theory.fixed_points import FixedPoint
from bpcore.theory.maps import chis, length_slope, mean_square_slope, second_moments, slopes

_GRID: FloatArray = np.geomspace(1e-9, 1e8, 1021)

_SMALL = 1e-3


@dataclass(frozen=True)
class EdgePoint:
    """Hold a point of the edge of chaos.

    Args:
        sigma_b2: σ_b².
        sigma_w2: σ_w².
        q: q* there; NaN where every q is a fixed point.
        stability: of that fixed point; a net reaches only a stable or marginal one.
    """

    sigma_b2: float
    sigma_w2: float
    q: float
    stability: str


def edge_curve(phi: Activation, q: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (σ_b², σ_w²) of the edge at each q*; a negative σ_b² means that no net has this q* at the edge.

    Args:
        phi: the activation.
        q: q* > 0.

    Returns:
        Two arrays of q's shape.

    Source: Poole et al. 2016, fig. 1; Schoenholz et al. 2017, fig. 1.
    """
    with np.errstate(all="ignore"):
        sigma_w2 = 1 / chis(phi, q)
        return q - sigma_w2 * second_moments(phi, q), sigma_w2


@functools.lru_cache(maxsize=64)
def _on_grid(phi: Activation) -> FloatArray:
    """Return the curve's σ_b² on the grid, which every σ_b² is looked for on."""
    return edge_curve(phi, _GRID)[0]


def edge_of_chaos(phi: Activation, sigma_b2: float) -> tuple[EdgePoint, ...]:
    """Return the points of the edge at a given σ_b², by ascending q*.

    Args:
        phi: the activation.
        sigma_b2: σ_b² ≥ 0.

    Returns:
        One point for tanh; for ReLU one at σ_b² = 0 and none elsewhere; none or several for others.

    Source: as `edge_curve`; Hayou et al. 2019 §2 for ReLU's single point.
    """
    from scipy.optimize import brentq  # costly to import, and runs do without

    a = slopes(phi)
    if a is not None:
        mean = mean_square_slope(a)
        return (EdgePoint(0.0, 1 / mean, math.nan, "marginal"),) if sigma_b2 == 0 and mean > 0 else ()
    found = []
    if sigma_b2 == 0 and float(phi.value(np.zeros(()))) == 0:
        slope = float(chis(phi, np.zeros(())))
        if slope > 0:
            grows = float(second_moments(phi, np.array(_SMALL))) / slope > _SMALL
            found.append(EdgePoint(0.0, 1 / slope, 0.0, "unstable" if grows else "marginal"))

    def excess(q: float) -> float:
        return float(edge_curve(phi, np.asarray(q))[0]) - sigma_b2

    values = _on_grid(phi) - sigma_b2
    noise = 1e-12 * _GRID  # near q = 0 the curve touches σ_b² = 0, and rounding crosses it
    signs = np.sign(np.where(np.abs(values) < noise, 0.0, values))
    for i in np.flatnonzero(signs[:-1] * signs[1:] < 0):
        q = float(brentq(excess, _GRID[i], _GRID[i + 1], xtol=1e-300, rtol=1e-13))
        sigma_w2 = float(edge_curve(phi, np.asarray(q))[1])
        found.append(EdgePoint(sigma_b2, sigma_w2, q, FixedPoint(q, length_slope(phi, q, sigma_w2)).stability))
    return tuple(found)


def critical_sigma_w(phi: Activation, sigma_b2: float) -> float:
    """Return σ_w of the edge at σ_b², at the lowest q* that a net can reach; NaN where there is none."""
    reachable = [point for point in edge_of_chaos(phi, sigma_b2) if point.stability != "unstable"]
    return math.sqrt(reachable[0].sigma_w2) if reachable else math.nan
