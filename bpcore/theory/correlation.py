"""How the correlation of two inputs travels through the layers, and how deep it remains visible.

c^(l+1) = (σ_w² E[φ(u)φ(v)] + σ_b²)/q*, u and v normal with variance q* and correlation c^l; its slope is
χ(c) = σ_w² E[φ′(u)φ′(v)], and χ(1) is the χ₁ of the gradient. Under dropout that keeps a share p of the units q* and χ₁ are those of
σ_w²/p while the map is as it stands, since the masks of two inputs are independent: c = 1 is no fixed point then, and two passes of one
input differ.
"""

import math
from dataclasses import dataclass

import numpy as np

from bpcore.activations import Activation
from bpcore.arrays import FloatArray
from bpcore.theory.fixed_points import limit
from bpcore.theory.maps import chi, length_slope, mean_square_slope, second_moment, slopes
from bpcore.theory.quadrature import paired_mean

_CRITICAL = 1e-7
"""|χ₁ − 1| up to which a net counts as critical: beyond 10⁷ layers no depth scale can be told from infinity."""

_SMALL = 1e-8
"""q that stands for a small one: φ is there what its slopes at 0 say."""


def _arc(c: float) -> float:
    """Return E[max(u,0) max(v,0)] at unit variance and correlation c."""
    return (math.sqrt((1 - c) * (1 + c)) + (math.pi - math.acos(c)) * c) / (2 * math.pi)


def _both_positive(c: float) -> float:
    """Return P(u > 0, v > 0) at correlation c."""
    return (math.pi - math.acos(c)) / (2 * math.pi)


def covariance(phi: Activation, q: float, c: float) -> float:
    """Return E[φ(u)φ(v)] for u, v normal with variance q and correlation c.

    Piecewise linear φ have the arc-cosine kernel in closed form.

    Args:
        phi: the activation.
        q: variance > 0.
        c: correlation in [−1, 1].

    Returns:
        The expectation.

    Source: Cho & Saul 2009, eq. 6, for ReLU.
    """
    a = slopes(phi)
    if a is not None:
        return q * ((a[0] ** 2 + a[1] ** 2) * _arc(c) - 2 * a[0] * a[1] * _arc(-c))
    return paired_mean(phi.value, q, c, phi.breaks, phi.steep)


def correlation_slope(phi: Activation, q: float, c: float, sigma_w2: float) -> float:
    """Return χ(c) = σ_w² E[φ′(u)φ′(v)], the slope of the correlation map."""
    a = slopes(phi)
    if a is not None:
        return sigma_w2 * ((a[0] ** 2 + a[1] ** 2) * _both_positive(c) + 2 * a[0] * a[1] * _both_positive(-c))
    return sigma_w2 * paired_mean(phi.prime, q, c, phi.breaks, phi.steep)


def correlation_map(phi: Activation, q: float, c: float, sigma_w2: float, sigma_b2: float) -> float:
    """Return c^(l+1) from c^l at the fixed point q*.

    Args:
        phi: the activation.
        q: q* > 0.
        c: c^l in [−1, 1].
        sigma_w2: σ_w².
        sigma_b2: σ_b².

    Returns:
        c^(l+1).

    Source: Poole et al. 2016, eq. 5.
    """
    return (sigma_w2 * covariance(phi, q, c) + sigma_b2) / q


def correlations(phi: Activation, q: float, c: float, sigma_w2: float, sigma_b2: float, depth: int) -> FloatArray:
    """Return c^0 = c, c^1, …, c^depth.

    At ReLU's critical point 1 − c^l → 9π²/(2l²): the decay is polynomial, and no depth scale exists.

    Source: Hayou et al. 2019, proposition 1, for that asymptote.
    """
    path = [c]
    for _ in range(depth):
        path.append(min(1.0, correlation_map(phi, q, path[-1], sigma_w2, sigma_b2)))
    return np.array(path)


def stable_correlation(phi: Activation, q: float, sigma_w2: float, sigma_b2: float, keep: float = 1.0) -> float:
    """Return c*, to which the correlation of two different inputs flows.

    1 in the ordered phase and at criticality; below 1 in the chaotic phase, where 1 is unstable, and wherever units are dropped.

    Args:
        phi: the activation.
        q: q* > 0.
        sigma_w2: σ_w².
        sigma_b2: σ_b².
        keep: p, the share of units that dropout keeps.

    Returns:
        c* in [0, 1].

    Source: Pretorius et al. 2018 for dropout.
    """
    from scipy.optimize import brentq  # costly to import, and runs do without

    if keep == 1 and chi(phi, q, sigma_w2) <= 1 + _CRITICAL:
        return 1.0

    def excess(c: float) -> float:
        return correlation_map(phi, q, c, sigma_w2, sigma_b2) - c

    at_zero = excess(0.0)
    if abs(at_zero) < 1e-13:
        return 0.0
    if keep < 1:  # the map is convex, positive at 0 and below 1 at 1
        return float(brentq(excess, 0.0, 1.0, xtol=1e-13, rtol=1e-13))
    for gap in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7):
        if excess(1 - gap) < 0:
            return float(brentq(excess, 0.0, 1 - gap, xtol=1e-13, rtol=1e-13))
    return 1.0


@dataclass(frozen=True)
class DepthScales:
    """Hold the state of an infinitely wide net deep inside, and over how many layers it is reached.

    Args:
        q: q* to which the variance flows; infinite where it grows without bound.
        chi_1: χ(q*), the factor of ‖δ‖² per layer.
        c: c*.
        chi_c: χ(c*), the slope of the correlation map there.
        xi_q: −1/ln of the length map's slope, in layers.
        xi_c: −1/ln χ(c*), in layers; infinite at criticality.
        xi_grad: 1/|ln χ₁|, in layers; infinite at criticality.
        phase: ordered, critical or chaotic; unbounded where there is no q*.
    """

    q: float
    chi_1: float
    c: float
    chi_c: float
    xi_q: float
    xi_c: float
    xi_grad: float
    phase: str

    @property
    def trainable_depth(self) -> float:
        """Return 6ξ_c, about where training stops to work (Schoenholz et al. 2017, §5)."""
        return 6 * self.xi_c


def _scale(slope: float) -> float:
    """Return 1/|ln slope|, infinite within `_CRITICAL` of 1, 0 at a slope of 0."""
    if math.isnan(slope) or slope < 0:
        return math.nan
    if slope == 0:
        return 0.0
    return math.inf if abs(slope - 1) <= _CRITICAL else 1 / abs(math.log(slope))


def depth_scales(phi: Activation, sigma_w2: float, sigma_b2: float, q1: float = 1.0, keep: float = 1.0) -> DepthScales:
    """Return fixed points, χ₁ and depth scales of a net.

    ξ_q = 1/|ln slope of the length map|, ξ_c = 1/|ln χ(c*)|, ξ_∇ = 1/|ln χ₁|.

    Args:
        phi: the activation.
        sigma_w2: σ_w² ≥ 0.
        sigma_b2: σ_b² ≥ 0.
        q1: variance of the first layer's z, which decides between several fixed points.
        keep: p, the share of units that dropout keeps; q* and χ₁ are then those of σ_w²/p, which the phase goes by.

    Returns:
        The scales. Where q grows without bound χ₁ is its limit, that of φ's slopes far out, and there is no c* nor ξ_q;
        at q* = 0 correlations mean nothing, and c* and ξ_c are taken in the limit of small q.

    Source: Schoenholz et al. 2017, eq. 4–6 and §4; the gradient's scale §3; Pretorius et al. 2018 for dropout.
    """
    gain = sigma_w2 / keep
    q = limit(phi, gain, sigma_b2, q1)
    chi_1 = chi(phi, q, gain) if math.isfinite(q) else gain * mean_square_slope(phi.slopes)
    if math.isinf(q):
        return DepthScales(q, chi_1, math.nan, math.nan, math.nan, math.nan, _scale(chi_1), "unbounded")
    if keep < 1 and q == 0:  # in the limit of small q, σ_w² being what keeps it there
        at, weight = _SMALL, keep * _SMALL / second_moment(phi, _SMALL)
    else:
        at, weight = q, sigma_w2
    c = 1.0 if at == 0 else stable_correlation(phi, at, weight, sigma_b2, keep)
    chi_c = chi_1 if c == 1 else correlation_slope(phi, at, c, weight)
    critical = abs(chi_1 - 1) <= _CRITICAL
    phase = "critical" if critical else "chaotic" if chi_1 > 1 else "ordered"
    return DepthScales(q, chi_1, c, chi_c, _scale(length_slope(phi, q, gain)), _scale(chi_c), _scale(chi_1), phase)
