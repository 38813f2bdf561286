"""Euclidean norms that neither overflow nor underflow while the entries do not."""

from typing import Any

import numpy as np

from bpcore.arrays import Array, FloatArray


def norm(x: Array) -> FloatArray:
    """Return the Frobenius norm over the last two axes.

    ‖x‖_F = √(Σ x²), computed directly where the sum of squares is safely inside the range of the dtype. Where it is
    not, the run is computed again with its entries scaled by a power of two, as BLAS nrm2 does, so that a layer of
    entries near 1e-200 has a norm near 1e-200 and not 0.

    Args:
        x: shape (..., n, m), real.

    Returns:
        Shape (...), float64. NaN where an entry is NaN, inf where one is infinite.
    """
    runs, count = x.shape[:-2], x.shape[-2] * x.shape[-1]
    flat = np.ascontiguousarray(x).reshape(-1, count)
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows here is computed again below
        squares = np.vecdot(flat, flat)
    unsafe = ~((squares > floor(count, x.dtype)) & np.isfinite(squares))
    result: FloatArray = np.sqrt(squares.astype(np.float64))
    if unsafe.any():
        result[unsafe] = scaled_norms(flat[unsafe])
    return result.reshape(runs)


def floor(count: int, dtype: np.dtype[Any]) -> float:
    """Return the sum of squares below which those lost to underflow could exceed one rounding error of the norm."""
    info = np.finfo(dtype)
    return float(count * info.tiny / info.eps)


def scaled_norms(x: Array) -> FloatArray:
    """Return the norm of each row, computed on entries scaled by a power of two.

    Args:
        x: (k, count), real.

    Returns:
        (k,). NaN where an entry is NaN, inf where one is infinite.
    """
    wide = x.astype(np.float64)
    peak: FloatArray = np.abs(wide).max(axis=1, initial=0.0)
    regular = (peak > 0) & np.isfinite(peak)
    exponent = np.where(regular, np.frexp(np.where(regular, peak, 1.0))[1], 0)
    scaled = np.ldexp(wide, -exponent[:, None])
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(regular, np.ldexp(np.sqrt(np.vecdot(scaled, scaled)), exponent), peak)


def combine(norms: list[FloatArray]) -> FloatArray:
    """Return the norm of several arrays together from the norm of each.

    √(Σ n²), scaled by the largest n.

    Args:
        norms: each of shape (...), ≥ 0.

    Returns:
        Shape (...). NaN where one is NaN, inf where one is infinite.
    """
    stacked = np.stack(norms, axis=-1)
    peak = stacked.max(axis=-1)
    scale = np.where((peak > 0) & np.isfinite(peak), peak, 1.0)
    ratio = stacked / scale[..., None]
    result: FloatArray = np.where(np.isfinite(peak), scale * np.sqrt((ratio * ratio).sum(axis=-1)), peak)
    return result
