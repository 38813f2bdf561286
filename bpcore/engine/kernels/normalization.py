"""Normalization of a layer by its batch, row by row: each unit over the examples."""

import math
from typing import Any

from numba import carray, types

from bpcore.engine.kernels.language import ENTRIES, SUMS, call_of, inner


def forward_signature(T: Any) -> Any:
    """Return void(z, gamma, beta, h, z_hat, mean, variance, std, work, n, m, eps, groups, centered); h may stand in the place of z."""
    pointer = types.CPointer(T)
    return types.void(*(pointer,) * 9, types.int64, types.int64, types.float64, types.int64, types.int64)


def backward_signature(T: Any) -> Any:
    """Return void(delta, z_hat, std, gamma, d_gamma, d_beta, work, n, m, groups, centered); δ in place, gradients summed over the batch."""
    pointer = types.CPointer(T)
    return types.void(*(pointer,) * 7, *(types.int64,) * 4)


def evaluate_signature(T: Any) -> Any:
    """Return void(z, gamma, beta, mean, variance, h, work, n, m, eps, groups, centered); h may stand in the place of z."""
    pointer = types.CPointer(T)
    return types.void(*(pointer,) * 7, types.int64, types.int64, types.float64, types.int64, types.int64)


forward = call_of(types.void, 14)
backward = call_of(types.void, 11)
evaluate = call_of(types.void, 12)


@inner(SUMS)
def _total(x):
    """Return Σ x."""
    total = x.dtype.type(0)
    for j in range(x.size):
        total += x[j]
    return total


@inner(SUMS)
def _center(x, middle, out):
    """Write x − μ, and return its sum of squares."""
    total = x.dtype.type(0)
    for j in range(x.size):
        centered = x[j] - middle
        out[j] = centered
        total += centered * centered
    return total


@inner(SUMS)
def along(x, y):
    """Return Σ x and Σ xy."""
    total, along = x.dtype.type(0), x.dtype.type(0)
    for j in range(x.size):
        total += x[j]
        along += x[j] * y[j]
    return total, along


def _normalize(z, gamma, beta, h, z_hat, mean, variance, std, work, n, m, eps, groups, centered):
    """ẑ = (z − μ)/√(v + ε), h = γẑ + β."""
    z, h, z_hat = carray(z, (n, m)), carray(h, (n, m)), carray(z_hat, (n, m))
    gamma, beta, mean, variance, std = carray(gamma, n), carray(beta, n), carray(mean, n), carray(variance, n), carray(std, n)
    T = z.dtype.type
    count, eps = T(m), T(eps)
    for i in range(n):
        mean[i] = _total(z[i]) / count
        variance[i] = _center(z[i], mean[i], z_hat[i]) / count
        std[i] = math.sqrt(variance[i] + eps)
        scale, g, b = T(1) / std[i], gamma[i], beta[i]
        for j in range(m):
            v = z_hat[i, j] * scale
            z_hat[i, j] = v
            h[i, j] = v * g + b


def _denormalize(delta, z_hat, std, gamma, d_gamma, d_beta, work, n, m, groups, centered):
    """δ ← γ/√(v + ε) · (g − mean g − ẑ mean(g ⊙ ẑ))."""
    delta, z_hat = carray(delta, (n, m)), carray(z_hat, (n, m))
    std, gamma, d_gamma, d_beta = carray(std, n), carray(gamma, n), carray(d_gamma, n), carray(d_beta, n)
    count = delta.dtype.type(m)
    for i in range(n):
        d_beta[i], d_gamma[i] = along(delta[i], z_hat[i])
        shift, tilt, scale = d_beta[i] / count, d_gamma[i] / count, gamma[i] / std[i]
        for j in range(m):
            delta[i, j] = (delta[i, j] - shift - z_hat[i, j] * tilt) * scale


def _normalize_with(z, gamma, beta, mean, variance, h, work, n, m, eps, groups, centered):
    """H = γ(z − μ)/√(v + ε) + β with μ and v given."""
    z, h = carray(z, (n, m)), carray(h, (n, m))
    gamma, beta, mean, variance = carray(gamma, n), carray(beta, n), carray(mean, n), carray(variance, n)
    for i in range(n):
        middle, root, g, b = mean[i], math.sqrt(variance[i] + z.dtype.type(eps)), gamma[i], beta[i]
        for j in range(m):
            h[i, j] = (z[i, j] - middle) / root * g + b


KERNELS = {
    "forward": (_normalize, forward_signature, ENTRIES),
    "backward": (_denormalize, backward_signature, ENTRIES),
    "evaluate": (_normalize_with, evaluate_signature, ENTRIES),
}
