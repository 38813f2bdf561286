"""Nets whose weights are all equal: every unit of a layer is the same, and the net is a chain of single neurons.

With W = s and b = β everywhere, z^1 = s Σx + β, z^(l+1) = s n_l φ(z^l) + β, and for l below the last hidden layer
‖δ^l‖/‖δ^(l+1)‖ = |s φ′(z^l)| √(n_l n_(l+1)). At the last hidden layer δ^D = s φ′(z^D) Σ_k δ^L_k, which vanishes under
softmax, whose errors sum to zero. Nothing here is approximate.
"""

import numpy as np

from bpcore.activation import Phis, by_layer
from bpcore.arrays import FloatArray


def symmetric_values(phi: Phis, sizes: tuple[int, ...], weight: float, bias: float, input_sums: FloatArray) -> list[FloatArray]:
    """Return z^1…z^L of every example; all units of a layer have the same.

    Args:
        phi: activation of the hidden layers, of all or of each.
        sizes: (n_0, …, n_L).
        weight: s.
        bias: β.
        input_sums: Σ_j x_j of the examples, shape (m,).

    Returns:
        L arrays of shape (m,).
    """
    phis = by_layer(phi, len(sizes) - 2)
    with np.errstate(all="ignore"):
        values = [weight * input_sums + bias]
        for l in range(1, len(sizes) - 1):
            values.append(weight * sizes[l] * phis[l - 1].value(values[-1]) + bias)
        return values


def symmetric_factors(
    phi: Phis, sizes: tuple[int, ...], weight: float, bias: float, input_sums: FloatArray, output_delta: FloatArray
) -> FloatArray:
    """Return ‖δ^l‖/‖δ^(l+1)‖ for l = 0…D, in root mean square over examples.

    Args:
        phi: activation of the hidden layers, of all or of each.
        sizes: (n_0, …, n_L).
        weight: s.
        bias: β.
        input_sums: Σ_j x_j of the examples, shape (m,).
        output_delta: δ^L of every example, shape (n_L, m).

    Returns:
        Shape (L,). Where the errors of the outputs cancel, what is left of δ^D is rounding; its factor is 0, and those
        of the layers below are what rounding is multiplied by, each example counted alike.
    """
    with np.errstate(all="ignore"):
        phis, values = by_layer(phi, len(sizes) - 2), symmetric_values(phi, sizes, weight, bias, input_sums)
        total = output_delta.sum(axis=0)
        cancels = np.abs(total).max() <= 1e-12 * np.abs(output_delta).max()
        square = np.ones(len(input_sums)) if cancels else total**2
        last = (output_delta**2).sum(axis=0).mean()
        factors: list[float] = []
        for l in range(len(sizes) - 2, 0, -1):
            fan_out = 1 if l == len(sizes) - 2 else sizes[l + 1]
            before = square.mean()
            square = square * (weight * phis[l - 1].prime(values[l - 1])) ** 2 * sizes[l] * fan_out
            top = l == len(sizes) - 2
            factors.append(float(np.sqrt(square.mean() / (last if top else before))) if not (top and cancels) else 0.0)
        factors.append(abs(weight) * float(np.sqrt(sizes[0] * sizes[1])) if len(sizes) > 2 else _direct(weight, sizes[0], total, last))
        return np.array(factors[::-1])


def _direct(weight: float, inputs: int, total: FloatArray, last: float) -> float:
    """Return ‖δ^0‖/‖δ^L‖ of a net without hidden layers."""
    return abs(weight) * float(np.sqrt(inputs * (total**2).mean() / last))
