"""Activations that are linear between two ends and flat beyond them."""

import numpy as np

from bpcore.activation import Activation, Bounds
from bpcore.arrays import Array

__all__ = ["hard_tanh", "hard_tanh_prime", "hard_tanh_value", "relu6", "relu6_prime", "relu6_value"]


def _between(z: Array, low: float, high: float) -> Array:
    """Return min(max(z, low), high); what is not a number stays so."""
    return np.where(z.real > high, high, np.where(z.real <= low, low, z)).astype(z.dtype)


def _inside(z: Array, low: float, high: float) -> Array:
    """Return 1{low<z≤high}, the derivative, at the ends that from the left."""
    return np.asarray((z.real > low) & (z.real <= high)).astype(z.dtype)


def hard_tanh_value(z: Array) -> Array:
    """Return min(max(z, −1), 1)."""
    return _between(z, -1.0, 1.0)


def hard_tanh_prime(z: Array) -> Array:
    """Return 1{−1<z≤1}."""
    return _inside(z, -1.0, 1.0)


def hard_tanh() -> Activation:
    """Return the piecewise linear tanh.

    φ(z) = min(max(z, −1), 1), φ′(z) = 1{−1<z≤1}; φ′(−1) = 0, φ′(1) = 1.

    Source: Collobert 2004, §6.
    """
    return Activation("hard_tanh", hard_tanh_value, hard_tanh_prime, (-1.0, 1.0), Bounds(0.0, 1.0), (0.0, 0.0))


def relu6_value(z: Array) -> Array:
    """Return min(max(z, 0), 6)."""
    return _between(z, 0.0, 6.0)


def relu6_prime(z: Array) -> Array:
    """Return 1{0<z≤6}."""
    return _inside(z, 0.0, 6.0)


def relu6() -> Activation:
    """Return the rectifier that ends at 6.

    φ(z) = min(max(z, 0), 6), φ′(z) = 1{0<z≤6}; φ′(0) = 0, φ′(6) = 1.

    Source: Krizhevsky 2010, Convolutional deep belief networks on CIFAR-10.
    """
    return Activation("relu6", relu6_value, relu6_prime, (0.0, 6.0), Bounds(0.0, 1.0), (0.0, 0.0))
