"""Activations in place: φ and φ′ written into buffers, φ′ from φ where that is cheaper.

A twin belongs to a formula, not to a name: it is found by the functions that an activation consists of, or by what the
activation declares. One that has none is computed as the textbook says and copied.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bpcore.activations import Activation, logistic, logistic_prime, rectify, step, tanh_prime
from bpcore.arrays import Array
from bpcore.engine.tabulated import tanh_by_table, wide_vectors


@dataclass(frozen=True)
class InPlace:
    """Hold an activation as the engine computes it.

    Args:
        value: (z, out), φ(z) written into out.
        prime: (z, a, out), φ′(z) written into the contiguous out where a = φ(z), to the relative precision of the textbook.
    """

    value: Callable[[Array, Array], object]
    prime: Callable[[Array, Array, Array], object]


def in_place(phi: Activation) -> InPlace:
    """Return an activation as the engine computes it."""
    left, right = phi.slopes
    if phi.homogeneous and left not in (0, 1) and right == 1:
        return _two_slopes(left)
    found = (twin for value, prime, twin in _TWINS if phi.value is value and phi.prime is prime)
    return next(found, None) or _copied(phi)


def _copied(phi: Activation) -> InPlace:
    def value(z: Array, out: Array) -> None:
        out[...] = phi.value(z)

    def prime(z: Array, a: Array, out: Array) -> None:
        out[...] = phi.prime(z)

    return InPlace(value, prime)


_TAIL = 2.0**-10
"""A slope computed from φ by a difference from 1 keeps all but ten bits above this; entries below are computed anew."""


def _mend_tail(slope: Array, distance: Array, z: Array, prime: Callable[[Array], Array]) -> None:
    """Replace entries of a slope by φ′(z) itself where the difference from 1 behind them has cancelled.

    Each entry is judged by itself, so that a run's numbers do not depend on its neighbors.
    """
    if not np.minimum.reduce(distance, axis=None) >= _TAIL:
        tail = np.flatnonzero(distance.ravel() < _TAIL)  # what is not a number stays so
        slope.ravel()[tail] = prime(z.ravel()[tail])


def _logistic(z: Array, out: Array) -> None:
    e = np.abs(z)
    np.negative(e, out=e)
    np.exp(e, out=e)
    numerator = np.where(z < 0, e, z.dtype.type(1))
    np.add(e, 1, out=e)
    np.divide(numerator, e, out=out)


def _logistic_prime(z: Array, a: Array, out: Array) -> None:
    distance = 1 - a
    np.multiply(a, distance, out=out)
    _mend_tail(out, distance, z, logistic_prime)


def _tanh(z: Array, out: Array) -> None:
    if z.dtype == np.float64 and not wide_vectors():
        tanh_by_table(z, out)
    else:
        np.tanh(z, out=out)


def _tanh_prime(z: Array, a: Array, out: Array) -> None:
    np.multiply(a, a, out=out)
    np.subtract(1, out, out=out)
    _mend_tail(out, out, z, tanh_prime)


def _rectify(z: Array, out: Array) -> None:
    np.maximum(z, 0, out=out)


def _step(z: Array, a: Array, out: Array) -> None:
    np.greater(z, 0, out=out)


def _two_slopes(left: float) -> InPlace:
    def value(z: Array, out: Array) -> None:
        np.multiply(z, left, out=out)
        np.copyto(out, z, where=z > 0)

    def prime(z: Array, a: Array, out: Array) -> None:
        out.fill(left)
        np.copyto(out, 1, where=z > 0)

    return InPlace(value, prime)


_TWINS: tuple[tuple[Callable[[Array], Array], Callable[[Array], Array], InPlace], ...] = (
    (logistic, logistic_prime, InPlace(_logistic, _logistic_prime)),
    (np.tanh, tanh_prime, InPlace(_tanh, _tanh_prime)),
    (rectify, step, InPlace(_rectify, _step)),
)
"""φ and φ′ of the textbook, and both in place."""
