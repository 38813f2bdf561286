"""Activations that are z times a smooth gate: mish, and the GELU by tanh."""

import numpy as np

from bpcore.activation import Activation, Bounds
from bpcore.activations import logistic, logistic_prime
from bpcore.arrays import Array

__all__ = ["gelu_tanh", "gelu_tanh_prime", "gelu_tanh_value", "mish", "mish_prime", "mish_value"]


def _mish_gate(z: Array) -> tuple[Array, Array]:
    """Return tanh(ln(1+e^z)) and its derivative.

    With w = e^z they are (w²+2w)/(w²+2w+2) and 4w(w+1)/(w²+2w+2)²; from 0 on both are extended by e^(−2z), so that nothing overflows.
    """
    right = z.real > 0
    e = np.exp(np.where(right, -z, z))
    n = np.where(right, 1 + 2 * e, e * (e + 2))
    d = n + np.where(right, 2 * e * e, 2)
    steep = 4 * e * (e + 1)
    return n / d, np.where(right, steep * e, steep) / d / d


def mish_value(z: Array) -> Array:
    """Return z tanh(ln(1+e^z))."""
    return z * _mish_gate(z)[0]


def mish_prime(z: Array) -> Array:
    """Return the derivative of z tanh(ln(1+e^z))."""
    gate, rise = _mish_gate(z)
    slope: Array = gate + z * rise
    return slope


def mish() -> Activation:
    """Return mish.

    φ(z) = zg(z), g = tanh(ln(1+e^z)), φ′(z) = g(z) + zg′(z), g′ = sech²(ln(1+e^z))σ(z); φ′ is extreme at z = −2.25638 and 1.49057.

    Source: Misra 2020, eq. 1.
    """
    low, high = (float(mish_prime(np.asarray(z))) for z in (-2.2563763963607931, 1.4905711794854285))
    return Activation("mish", mish_value, mish_prime, (), Bounds(low, high), (0.0, 1.0))


_LINEAR = float(np.sqrt(8 / np.pi))
_CUBIC = 0.044715 * _LINEAR
_FAR = 25.0
"""Beyond it, the gate is 0 or 1 in any dtype, and its derivative 0."""


def _near(z: Array) -> Array:
    """Return z, moved to ±25 where it lies beyond."""
    return np.where(z.real > _FAR, _FAR, np.where(z.real < -_FAR, -_FAR, z)).astype(z.dtype)


def gelu_tanh_value(z: Array) -> Array:
    """Return zσ(2u), u = √(2/π)(z + 0.044715 z³)."""
    near = _near(z)
    return z * logistic(near * (_LINEAR + _CUBIC * near * near))


def gelu_tanh_prime(z: Array) -> Array:
    """Return σ(2u) + zσ′(2u)·2u′."""
    near = _near(z)
    square = near * near
    x = near * (_LINEAR + _CUBIC * square)
    slope: Array = logistic(x) + z * (logistic_prime(x) * (_LINEAR + 3 * _CUBIC * square))
    return slope


def gelu_tanh() -> Activation:
    """Return the Gaussian error linear unit by its approximation with tanh.

    φ(z) = ½z(1 + tanh u) = zσ(2u), u = √(2/π)(z + 0.044715 z³), φ′(z) = σ(2u) + zσ′(2u)·2u′; φ′ is extreme at z = ±1.41850.

    Source: Hendrycks & Gimpel 2016, §2.
    """
    peak = float(gelu_tanh_prime(np.asarray(1.4185040087908283)))
    return Activation("gelu_tanh", gelu_tanh_value, gelu_tanh_prime, (), Bounds(1 - peak, peak), (0.0, 1.0))
