"""The map of mean and variance of Klambauer et al. 2017, whose fixed point (0, 1) defines SELU.

z ~ N(μω, ντ) with ω = Σw and τ = Σw² of a unit's weights; (μ, ν) → (E[φ(z)], Var[φ(z)]).
"""

from collections.abc import Callable

import numpy as np

from bpcore.activations import Activation
from bpcore.arrays import FloatArray
from bpcore.theory.quadrature import gaussian_mean

Form = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
"""(φ(z), φ′(z), (z − E z)/√Var z) -> what the mean is taken of."""


def _mean(phi: Activation, mean: float, variance: float, form: Form) -> float:
    root = np.sqrt(variance)
    breaks = tuple((k - mean) / root for k in (*phi.kinks, mean - 2 * root, mean + 2 * root))
    return gaussian_mean(lambda z: form(phi.value(mean + root * z), phi.prime(mean + root * z), z), breaks)


def moment_map(phi: Activation, mean: float, variance: float, omega: float = 0.0, tau: float = 1.0) -> tuple[float, float]:
    """Return (E[φ(z)], Var[φ(z)]) for z ~ N(μω, ντ).

    Args:
        phi: the activation.
        mean: μ of the layer below.
        variance: ν of the layer below, > 0.
        omega: ω, sum of a unit's weights.
        tau: τ, sum of their squares, > 0.

    Returns:
        Mean and variance of this layer.

    Source: Klambauer et al. 2017, eq. 3–5.
    """
    m, v = mean * omega, variance * tau
    first = _mean(phi, m, v, lambda a, slope, z: a)
    return first, _mean(phi, m, v, lambda a, slope, z: a**2) - first**2


def moment_jacobian(phi: Activation, mean: float, variance: float, omega: float = 0.0, tau: float = 1.0) -> FloatArray:
    """Return the Jacobian of `moment_map`, rows (mean, variance), columns ∂/∂μ and ∂/∂ν.

    Args:
        phi: the activation.
        mean: μ.
        variance: ν > 0.
        omega: ω.
        tau: τ > 0.

    Returns:
        Shape (2, 2).

    Source: Klambauer et al. 2017, theorem 1 and its eq. 7.
    """
    m, v = mean * omega, variance * tau
    value, prime = _mean(phi, m, v, lambda a, slope, z: a), _mean(phi, m, v, lambda a, slope, z: slope)
    product = _mean(phi, m, v, lambda a, slope, z: a * slope)
    by_scale = tau / (2 * np.sqrt(v))
    d_value = by_scale * _mean(phi, m, v, lambda a, slope, z: slope * z)
    d_square = by_scale * _mean(phi, m, v, lambda a, slope, z: 2 * a * slope * z)
    return np.array([[omega * prime, d_value], [2 * omega * (product - value * prime), d_square - 2 * value * d_value]])
