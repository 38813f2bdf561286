"""Losses in one go: mean_i J_i and δ^L together, where they share work.

As with activations, a twin is found by the functions that a loss consists of; a loss that has none is computed as the
textbook says.
"""

from collections.abc import Callable

import numpy as np

from bpcore.activations import Activation
from bpcore.arrays import Array
from bpcore.losses import Function, Loss, softmax_delta, softmax_value


def mean_and_delta(loss: Loss, z: Array, y: Array, phi: Activation) -> tuple[Array, Array]:
    """Return mean_i J_i, shape (R,), and δ^L, shape (R, n_L, m).

    Args:
        loss: J_i.
        z: z^L, (R, n_L, m).
        y: targets, (R or 1, n_L, m).
        phi: output activation.
    """
    for value, delta, twin in _TWINS:
        if loss.value is value and loss.delta is delta:
            return twin(loss, z, y, phi)
    return _apart(loss, z, y, phi)


def _apart(loss: Loss, z: Array, y: Array, phi: Activation) -> tuple[Array, Array]:
    return loss.value(z, y, phi).mean(axis=-1), loss.delta(z, y, phi)  # BP1


def _softmax(loss: Loss, z: Array, y: Array, phi: Activation) -> tuple[Array, Array]:
    if z.shape[-1] == 1:  # a sum over classes must not become one over a contiguous axis where the stack is a single run
        return _apart(loss, z, y, phi)
    targets = y.transpose(1, 0, 2)
    shifted = z.transpose(1, 0, 2).copy()  # classes first, since sums over the first axis are the fast ones
    shifted -= np.maximum.reduce(shifted, axis=0)
    error = np.exp(shifted)
    total = np.add.reduce(error, axis=0)
    error /= total
    error -= targets  # BP1, fused
    shifted *= targets
    entropy = np.log(total, out=total) - np.add.reduce(shifted, axis=0)
    return np.add.reduce(entropy, axis=-1) / z.shape[-1], error.transpose(1, 0, 2)


_Twin = Callable[[Loss, Array, Array, Activation], tuple[Array, Array]]

_TWINS: tuple[tuple[Function, Function, _Twin], ...] = ((softmax_value, softmax_delta, _softmax),)
"""J_i and δ^L of the textbook, and both in one go."""
