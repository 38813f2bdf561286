"""The hyperbolic tangent in float64, pass by pass, for processors on which numpy's own has no vector form.

Where numpy has no 512-bit vectors its float64 tanh takes 22 ns an entry, as long as nine matrix products of a layer of 30
units; by the addition theorem from a table it takes 5 to 7 ns.
"""

import functools

import numpy as np

from bpcore.arrays import Array

_PER_UNIT = 128
_LIMIT = 20.0  # tanh is 1 to the last bit from 19.06 on
_CHUNK = 32768  # entries at a time: larger ones leave the caches, smaller ones cost more in calls
_NODES = np.tanh(np.arange(-_LIMIT * _PER_UNIT, _LIMIT * _PER_UNIT + 0.5) / _PER_UNIT)

# Of tanh(u/128) = u (c1 + c3 u² + c5 u⁴ + …); the next term is below 2^-52 of the first for |u| ≤ 1/2.
_C1, _C3, _C5 = 1 / _PER_UNIT, -1 / (3 * _PER_UNIT**3), 2 / (15 * _PER_UNIT**5)

# Added to a number below 2^51, this leaves its nearest integer in the low bits of the sum.
_ROUNDING = 1.5 * 2.0**52
_ROUNDING_BITS = int(np.float64(_ROUNDING).view(np.int64))
_OFFSET = _ROUNDING + _LIMIT * _PER_UNIT

_SAFE_SQUARES = 2.0**80
"""Below this, no entry is too large for the sum above."""


@functools.cache
def wide_vectors() -> bool:
    """Return whether numpy uses 512-bit vectors here, as `numerics=portable` forbids."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    return bool({"X86_V4", "AVX512_SKX"} & set(found))


def tanh_by_table(z: Array, out: Array) -> None:
    """Write tanh z into out, to 4 units in the last place.

    With t = tanh(k/128), k the nearest integer to 128z, and p = tanh(u/128), u = 128z − k, |u| ≤ 1/2, by its series:
    tanh z = (t + p)/(1 + tp). Around 0, where t is 0, this keeps the relative precision of p. Beyond the table t is ±1, and so
    is the quotient, whatever p.

    Args:
        z: float64, any shape.
        out: float64, the same shape.
    """
    rows, entries = z.reshape(z.shape[0], -1), out.reshape(z.shape[0], -1)
    width = min(rows.shape[1], _CHUNK)
    height = max(1, min(rows.shape[0], _CHUNK // width))
    buffers = np.empty((4, height * width))
    with np.errstate(over="ignore"):
        for i in range(0, rows.shape[0], height):
            for j in range(0, rows.shape[1], width):
                piece = rows[i : i + height, j : j + width]
                if not np.maximum.reduce(np.vecdot(piece, piece)) < _SAFE_SQUARES:  # not a number, or too large for the rounding
                    piece = np.clip(piece, -_LIMIT, _LIMIT)
                _tanh(piece, entries[i : i + height, j : j + width], *(buffer[: piece.size].reshape(piece.shape) for buffer in buffers))


def _tanh(z: Array, out: Array, u: Array, k: Array, p: Array, t: Array) -> None:
    np.multiply(z, _PER_UNIT, out=u)
    np.add(u, _OFFSET, out=p)  # rounds
    np.subtract(p, _OFFSET, out=k)
    u -= k  # exact
    index = p.view(np.int64)
    index -= _ROUNDING_BITS
    _NODES.take(index, out=t, mode="clip")  # NaN has no place in the table; it comes back through u
    square = np.multiply(u, u, out=k)
    np.multiply(square, _C5, out=p)
    p += _C3
    p *= square
    p += _C1
    p *= u
    np.multiply(t, p, out=square)
    square += 1
    t += p
    np.divide(t, square, out=out)
