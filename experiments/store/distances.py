"""How far apart two arrays of floats are, in units in the last place."""

import math
from typing import Any

import numpy as np

from bpcore.arrays import Array, FloatArray


def ulps(a: Array, b: Array) -> FloatArray:
    """Count the floats between two arrays, elementwise.

    Args:
        a: float64 or float32.
        b: of the same dtype and shape.

    Returns:
        0 where equal or both are NaN, else the number of steps from float to next float; infinite where one is NaN.
    """
    wide: Any = np.uint64 if a.dtype == np.float64 else np.uint32
    sign = wide(1 << (8 * a.dtype.itemsize - 1))

    def ordered(values: Array) -> Array:
        bits: Any = np.ascontiguousarray(values).view(wide)
        return np.asarray(np.where(bits & sign, sign - (bits & ~sign), bits + sign), dtype=np.uint64)

    left, right = ordered(a), ordered(b)
    steps = np.where(left > right, left - right, right - left).astype(np.float64)
    one, both = np.isnan(a) ^ np.isnan(b), np.isnan(a) & np.isnan(b)
    return np.where(both, 0.0, np.where(one, math.inf, steps))


def distances(a: Array, b: Array, dtype: str = "float64", signed: bool = False) -> FloatArray:
    """Count by how many last places two arrays differ, elementwise.

    Args:
        a: float64 or float32; what is compared with.
        b: of the same dtype and shape.
        dtype: float64 or float32, in whose last places is counted. A number beyond the range of float32 keeps its 24 digits there.
        signed: whether the numbers come out of sums that cancel: then in last places of the largest finite |a|.

    Returns:
        0 where equal or both are NaN; infinite where one is NaN, and among signed numbers where one is infinite. Never NaN.
    """
    left, right = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(all="ignore"):
        if signed:
            largest = np.abs(left[np.isfinite(left)]).max(initial=0.0)
            place = np.spacing(largest) if dtype == "float64" else max(np.spacing(largest) * _COARSER, float(_TINIEST))
            apart = np.abs(left / place - right / place)  # the quotients cannot overflow where the difference would
            return np.where(np.isfinite(left) & np.isfinite(right), apart, np.where(ulps(left, right) == 0, 0.0, math.inf))
        if dtype == "float64":
            return ulps(left, right)
        fit = _fits(left) & _fits(right)
        return np.where(fit, ulps(left.astype(np.float32), right.astype(np.float32)), ulps(left, right) / _COARSER)


_COARSER = 2.0**29
"""Steps of float64 in one step of float32, where both are normal."""

_TINIEST = np.finfo(np.float32).smallest_subnormal


def _fits(values: FloatArray) -> Array:
    """Return which values float32 can hold: rounded, a finite number stays finite, and one that is not 0 does not become 0."""
    rounded = values.astype(np.float32)
    return np.asarray((np.isfinite(rounded) == np.isfinite(values)) & ((rounded == 0) == (values == 0)))
