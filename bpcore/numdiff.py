"""Numerical derivatives: the oracles that share no code with backpropagation."""

from collections.abc import Callable

import numpy as np

from bpcore.arrays import Array, FloatArray


def complex_step(function: Callable[[Array], Array | complex], x: FloatArray, step: float = 1e-30) -> FloatArray:
    """Differentiate a real-analytic scalar function entry by entry, to machine precision.

    ∂f/∂x_k = Im f(x + i·s·e_k)/s. There is no subtraction and so no cancellation: a derivative of 1e-14 is as precise,
    relatively, as one of order 1.

    Args:
        function: maps an array of x's shape, complex, to a scalar.
        x: point, real.
        step: s > 0.

    Returns:
        The gradient, x's shape.

    Source: Squire & Trapp 1998.
    """
    gradient = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        point = x.astype(complex)
        point[index] += 1j * step
        gradient[index] = np.asarray(function(point)).imag / step
    return gradient


def central_difference(function: Callable[[Array], float], x: FloatArray, step: float = 1e-6) -> FloatArray:
    """Differentiate a scalar function entry by entry, with an error of order step².

    ∂f/∂x_k ≈ [f(x + s·e_k) − f(x − s·e_k)]/2s. Of no use for gradients far below f/s·1e-16, which is where vanishing
    gradients live; kept for functions that cannot take complex arguments.

    Args:
        function: maps an array of x's shape to a scalar.
        x: point, real.
        step: s > 0.

    Returns:
        The gradient, x's shape.
    """
    gradient = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        ahead, behind = x.copy(), x.copy()
        ahead[index] += step
        behind[index] -= step
        gradient[index] = (function(ahead) - function(behind)) / (2 * step)
    return gradient
