"""The length map and the gradient's factor χ of one layer, with closed forms where φ is piecewise linear.

q^(l+1) = σ_w² E[φ(√q^l Z)²] + σ_b² and χ(q) = σ_w² E[φ′(√q Z)²], Z standard normal.
"""

import numpy as np

from bpcore.activations import Activation
from bpcore.arrays import FloatArray
from bpcore.theory.quadrature import panels, scaled_breaks, scaled_means


def slopes(phi: Activation) -> tuple[float, float] | None:
    """Return (a₋, a₊) if φ(z) = a₊z for z > 0 and a₋z for z < 0, else None.

    Such φ (identity, ReLU, leaky ReLU) know no scale of their own, and everything about them has a closed form.
    """
    return phi.slopes if phi.homogeneous else None


def mean_square_slope(a: tuple[float, float]) -> float:
    """Return (a₋² + a₊²)/2, which is E[φ′²] and E[φ²]/q of a piecewise linear φ, and their limit of q → ∞ for any other."""
    return (a[0] ** 2 + a[1] ** 2) / 2


def second_moments(phi: Activation, q: FloatArray) -> FloatArray:
    """Return E[φ(√q Z)²] for an array of q ≥ 0."""
    q = np.asarray(q, dtype=float)
    a = slopes(phi)
    if a is not None:
        return mean_square_slope(a) * q
    at_zero = float(phi.value(np.zeros(()))) ** 2
    return np.where(q == 0, at_zero, scaled_means(lambda u: phi.value(u) ** 2, q, phi.breaks, phi.steep))


def second_moment(phi: Activation, q: float) -> float:
    """Return E[φ(√q Z)²] for q ≥ 0."""
    return float(second_moments(phi, np.asarray(q)))


def chis(phi: Activation, q: FloatArray) -> FloatArray:
    """Return E[φ′(√q Z)²], which is χ at σ_w² = 1, for an array of q ≥ 0; at 0 its limit from above."""
    q = np.asarray(q, dtype=float)
    a = slopes(phi)
    if a is not None:
        return np.where(np.isfinite(q), mean_square_slope(a), np.nan)
    return scaled_means(lambda u: phi.prime(u) ** 2, q, phi.breaks, phi.steep)


def both_moments(phi: Activation, q: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return `second_moments` and `chis` of an array of q, from one set of nodes; equal q are computed once."""
    q = np.asarray(q, dtype=float)
    if slopes(phi) is not None:
        return second_moments(phi, q), chis(phi, q)
    distinct, places = np.unique(q, return_inverse=True)
    if len(distinct) > 1 and distinct[-1] - distinct[0] <= 1e-13 * distinct[-1]:
        distinct, places = distinct[:1], np.zeros_like(places)
    with np.errstate(all="ignore"):
        points, weights = panels(scaled_breaks(distinct, phi.breaks), phi.steep)
        root = np.sqrt(np.maximum(distinct, 1e-300))
        second, slope = ((weights * f(root[:, None] * points) ** 2).sum(axis=-1) for f in (phi.value, phi.prime))
    at_zero = float(phi.value(np.zeros(()))) ** 2
    second = np.where(distinct == 0, at_zero, np.where(np.isfinite(distinct), second, np.nan))
    slope = np.where(np.isfinite(distinct), slope, np.nan)
    return second[places].reshape(q.shape), slope[places].reshape(q.shape)


def chi(phi: Activation, q: float, sigma_w2: float) -> float:
    """Return χ(q) = σ_w² E[φ′(√q Z)²], the factor of ‖δ‖² per layer.

    Args:
        phi: the activation.
        q: variance of z, ≥ 0.
        sigma_w2: σ_w² = Var(W)·fan_in.

    Returns:
        χ ≥ 0.

    Source: Poole et al. 2016, eq. 7; Schoenholz et al. 2017, eq. 4.
    """
    return sigma_w2 * float(chis(phi, np.asarray(q)))


def length_slopes(phi: Activation, q: FloatArray) -> FloatArray:
    """Return E[φ(√q Z) φ′(√q Z) Z]/√q, the slope of the length map at σ_w² = 1, for an array of q ≥ 0."""
    q = np.asarray(q, dtype=float)
    a = slopes(phi)
    if a is not None:
        return np.full(q.shape, mean_square_slope(a))
    q = np.maximum(q, 1e-20)
    return scaled_means(lambda u: phi.value(u) * phi.prime(u) * u, q, phi.breaks, phi.steep) / q


def length_slope(phi: Activation, q: float, sigma_w2: float) -> float:
    """Return dq^(l+1)/dq^l = σ_w² E[φ(√q Z) φ′(√q Z) Z]/√q, which decides whether a fixed point is stable.

    Args:
        phi: the activation.
        q: variance of z, ≥ 0; at 0 the limit from above, which is infinite where φ(0)φ″(0) is not 0.
        sigma_w2: σ_w².

    Returns:
        The slope.
    """
    return sigma_w2 * float(length_slopes(phi, np.asarray(q)))
