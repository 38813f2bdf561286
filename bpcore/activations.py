"""Activations φ with their derivatives φ′: one small factory each.

Every value and derivative is stable over the whole range of its dtype and keeps full *relative* precision in the
tails: 1 − tanh² cancels to nothing from |z| ≈ 19 on, while 4e/(1+e)² with e = exp(−2|z|) does not. All of them accept
complex arguments, so that a complex step can pass through; comparisons then look at the real part.
"""

import math
from functools import partial

import numpy as np

from bpcore.activation import Activation, Bounds
from bpcore.arrays import Array
from bpcore.ranges import finite

__all__ = [
    "Activation", "Bounds", "elu", "exponential", "exponential_linear", "exponential_linear_prime", "gaussian_linear",
    "gaussian_linear_prime", "gelu", "grow", "identity", "leaky_relu", "logistic", "logistic_linear", "logistic_linear_prime",
    "logistic_prime", "rectify", "relu", "selu", "sigmoid", "silu", "smooth_rectify", "soft_sign", "soft_sign_prime", "softplus",
    "softsign", "step", "tanh", "tanh_prime", "two_slopes", "two_slopes_prime", "unchanged",
]  # fmt: skip


def _decay(z: Array) -> Array:
    """Return exp(−z) or exp(z), whichever lies in (0, 1] and so cannot overflow."""
    return np.exp(np.where(z.real < 0, z, -z))


def logistic(z: Array) -> Array:
    """Return 1/(1+e^(−z))."""
    e = _decay(z)
    value: Array = np.where(z.real < 0, e, 1) / (1 + e)
    return value


def logistic_prime(z: Array) -> Array:
    """Return the derivative of the logistic function, e^(−z)/(1+e^(−z))²."""
    e = _decay(z)
    slope: Array = e / (1 + e) ** 2
    return slope


def sigmoid() -> Activation:
    """Return the logistic function.

    φ(z) = 1/(1+e^(−z)), φ′(z) = φ(z)(1−φ(z)) ∈ (0, ¼].
    """
    return Activation("sigmoid", logistic, logistic_prime, (), Bounds(0.0, 0.25, low_attained=False), (0.0, 0.0))


def tanh_prime(z: Array) -> Array:
    """Return sech² z = 4e^(−2z)/(1+e^(−2z))²."""
    e = _decay(2 * z)
    slope: Array = 4 * e / (1 + e) ** 2
    return slope


def tanh() -> Activation:
    """Return the hyperbolic tangent.

    φ(z) = tanh z, φ′(z) = sech² z ∈ (0, 1].
    """
    return Activation("tanh", np.tanh, tanh_prime, (), Bounds(0.0, 1.0, low_attained=False), (0.0, 0.0))


_POWERS = tuple(sign * 32.0 * 4.0**k for sign in (-1, 1) for k in range(1, 9))
"""From where quadrature's own ladder ends, a panel every factor of 4, so that a power of z is smooth on each."""


def _inverse_of_1_plus(z: Array) -> Array:
    return np.asarray(1 / (1 + np.where(z.real < 0, -z, z)))


def soft_sign(z: Array) -> Array:
    """Return z/(1+|z|)."""
    return z * _inverse_of_1_plus(z)


def soft_sign_prime(z: Array) -> Array:
    """Return 1/(1+|z|)², squared last: (1+|z|)² would overflow where its inverse does not."""
    slope: Array = _inverse_of_1_plus(z) ** 2
    return slope


def softsign() -> Activation:
    """Return the softsign, which saturates as a power where tanh does exponentially.

    φ(z) = z/(1+|z|), φ′(z) = 1/(1+|z|)² ∈ (0, 1]; φ″ jumps at 0.

    Source: Bergstra et al. 2009; Glorot & Bengio 2010, §2.
    """
    bounds = Bounds(0.0, 1.0, low_attained=False)
    return Activation("softsign", soft_sign, soft_sign_prime, (0.0,), bounds, (0.0, 0.0), bends=_POWERS)


def rectify(z: Array) -> Array:
    """Return max(z, 0)."""
    return np.maximum(z, 0)  # and not `where`, which would turn a NaN into 0


def step(z: Array) -> Array:
    """Return 1{z>0}."""
    return (z.real > 0).astype(z.dtype)


def relu() -> Activation:
    """Return the rectifier.

    φ(z) = max(z, 0), φ′(z) = 1{z>0}; φ′(0) = 0.
    """
    return Activation("relu", rectify, step, (0.0,), Bounds(0.0, 1.0), (0.0, 1.0), homogeneous=True)


def two_slopes(z: Array, left: float) -> Array:
    """Return z for z > 0 and left·z otherwise."""
    return np.where(z.real > 0, z, left * z)


def two_slopes_prime(z: Array, left: float) -> Array:
    """Return 1 for z > 0 and left otherwise."""
    return np.where(z.real > 0, 1, left).astype(z.dtype)


def leaky_relu(alpha: float = 0.1) -> Activation:
    """Return the rectifier with slope α on the left.

    φ(z) = z for z > 0, αz otherwise; φ′(0) = α.

    Args:
        alpha: slope on the negative side, finite.

    Raises:
        ValueError: α is not finite.
    """
    slope = finite("alpha", alpha)
    value, prime = partial(two_slopes, left=slope), partial(two_slopes_prime, left=slope)
    bounds = Bounds(min(slope, 1.0), max(slope, 1.0))
    return Activation("leaky_relu", value, prime, (0.0,), bounds, (slope, 1.0), homogeneous=True)


def exponential_linear(z: Array, alpha: float, gain: float) -> Array:
    """Return gain·z for z > 0 and gain·alpha·(e^z − 1) otherwise."""
    return gain * np.where(z.real > 0, z, alpha * np.expm1(np.minimum(z, 0)))


def exponential_linear_prime(z: Array, alpha: float, gain: float) -> Array:
    """Return gain for z > 0 and gain·alpha·e^z otherwise."""
    return gain * np.where(z.real > 0, 1, alpha * np.exp(np.minimum(z, 0)))


def _exponential_linear(name: str, alpha: float, gain: float) -> Activation:
    value, prime = partial(exponential_linear, alpha=alpha, gain=gain), partial(exponential_linear_prime, alpha=alpha, gain=gain)
    low, high = sorted((0.0, gain * alpha))
    # The left limit g·α·e^z is attained at z = 0 itself, by the convention that φ′(0) is taken from the left.
    bounds = Bounds(min(low, gain), max(high, gain), low_attained=low < 0, high_attained=True)
    return Activation(name, value, prime, (0.0,), bounds, (0.0, gain), homogeneous=alpha == 0)


def elu(alpha: float = 1.0) -> Activation:
    """Return the exponential linear unit.

    φ(z) = z for z > 0, α(e^z − 1) otherwise; φ′(z) = 1 or αe^z; φ′(0) = α.

    Args:
        alpha: depth of the negative side, finite.

    Raises:
        ValueError: α is not finite.

    Source: Clevert et al. 2016, eq. 16.
    """
    return _exponential_linear("elu", finite("alpha", alpha), 1.0)


def selu() -> Activation:
    """Return the self-normalizing exponential linear unit.

    φ(z) = λ·ELU_α(z) with λ = 1.0507…, α = 1.6733…, for which (mean, variance) = (0, 1) is a fixed point.

    Source: Klambauer et al. 2017, eq. 2 and 14.
    """
    return _exponential_linear("selu", 1.6732632423543772848, 1.0507009873554804934)


def smooth_rectify(z: Array) -> Array:
    """Return ln(1+e^z)."""
    return np.maximum(z, 0) + np.log1p(_decay(z))


def softplus() -> Activation:
    """Return the smooth rectifier.

    φ(z) = ln(1+e^z) = max(z, 0) + ln(1+e^(−|z|)), φ′(z) = σ(z).
    """
    return Activation("softplus", smooth_rectify, logistic, (), Bounds(0.0, 1.0, low_attained=False, high_attained=False), (0.0, 1.0))


def _cdf(z: Array) -> Array:
    from scipy import special  # costly to import, and most runs do without

    return 0.5 * np.asarray(special.erfc(z * np.asarray(-np.sqrt(0.5), dtype=z.dtype)))


def gaussian_linear(z: Array) -> Array:
    """Return zΦ(z)."""
    return z * _cdf(z)


def gaussian_linear_prime(z: Array) -> Array:
    """Return Φ(z) + z e^(−z²/2)/√(2π)."""
    density: Array = np.exp(-0.5 * z * z) * np.asarray(1 / np.sqrt(2 * np.pi), dtype=z.dtype)
    slope: Array = _cdf(z) + z * density
    return slope


def gelu() -> Activation:
    """Return the Gaussian error linear unit, exact by erf.

    φ(z) = zΦ(z), φ′(z) = Φ(z) + z e^(−z²/2)/√(2π); φ′ is extreme at z = ±√2.

    Source: Hendrycks & Gimpel 2016.
    """
    from scipy import special  # costly to import, and most runs do without

    peak = 0.5 * float(special.erfc(-1.0)) + np.exp(-1.0) / np.sqrt(np.pi)
    return Activation("gelu", gaussian_linear, gaussian_linear_prime, (), Bounds(1 - peak, peak), (0.0, 1.0))


def logistic_linear(z: Array) -> Array:
    """Return zσ(z)."""
    return z * logistic(z)


def logistic_linear_prime(z: Array) -> Array:
    """Return σ(z) + zσ′(z)."""
    slope: Array = logistic(z) + z * logistic_prime(z)
    return slope


def silu() -> Activation:
    """Return the sigmoid-weighted linear unit (swish).

    φ(z) = zσ(z), φ′(z) = σ(z) + zσ′(z); φ′ is extreme where z tanh(z/2) = 2, at z = ±2.39936.

    Source: Elfwing et al. 2018, eq. 6.
    """
    peak = float(logistic_linear_prime(np.asarray(2.3993572805154677)))
    return Activation("silu", logistic_linear, logistic_linear_prime, (), Bounds(1 - peak, peak), (0.0, 1.0))


def unchanged(z: Array) -> Array:
    """Return z."""
    return z


def identity() -> Activation:
    """Return the identity, which makes the network linear.

    φ(z) = z, φ′(z) = 1.
    """
    return Activation("identity", unchanged, np.ones_like, (), Bounds(1.0, 1.0), (1.0, 1.0), homogeneous=True)


def grow(z: Array) -> Array:
    """Return e^z, inf where it overflows, without a warning."""
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(z))


def exponential() -> Activation:
    """Return the exponential, which overflows where z is large: inf is then its value, and no warning.

    φ(z) = φ′(z) = e^z ∈ (0, ∞).
    """
    bounds = Bounds(0.0, math.inf, low_attained=False, high_attained=False)
    return Activation("exponential", grow, grow, (), bounds, (0.0, math.inf))
