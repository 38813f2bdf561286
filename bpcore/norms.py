"""Euclidean norms that neither overflow nor underflow while the entries do not."""

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
    info = np.finfo(x.dtype)
    # Below this sum, squares lost to underflow could exceed one rounding error of the result.
    unsafe = ~((squares > count * info.tiny / info.eps) & np.isfinite(squares))
    result: FloatArray = np.sqrt(squares.astype(np.float64))
    if unsafe.any():
        for index in np.flatnonzero(unsafe):
            result[index] = _scaled_norm(flat[index].astype(np.float64))
    return result.reshape(runs)


def _scaled_norm(x: FloatArray) -> float:
    peak = float(np.abs(x).max(initial=0.0))
    if peak == 0.0 or not np.isfinite(peak):
        return peak
    exponent = int(np.frexp(peak)[1])
    scaled = np.ldexp(x, -exponent)
    return float(np.ldexp(np.sqrt(np.vecdot(scaled, scaled)), exponent))


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
