"""Normalization of every example by itself, over groups of the units of a layer; columns are examples, and go through side by side."""

import math

from numba import carray

from bpcore.engine.kernels.language import ENTRIES, inner
from bpcore.engine.kernels.normalization import along, backward_signature, evaluate_signature, forward_signature


@inner(ENTRIES)
def _measure(z, low, high, centered, eps, mean, std):
    """Write μ and √(v + ε) over the rows low ≤ i < high of every column."""
    m, count = z.shape[1], z.dtype.type(high - low)
    for j in range(m):
        mean[j] = 0
        std[j] = 0
    if centered:
        for i in range(low, high):
            for j in range(m):
                mean[j] += z[i, j]
        for j in range(m):
            mean[j] /= count
    for i in range(low, high):
        for j in range(m):
            about = z[i, j] - mean[j]
            std[j] += about * about
    for j in range(m):
        std[j] = math.sqrt(std[j] / count + eps)


def _normalize(z, gamma, beta, h, z_hat, mean, variance, std, work, n, m, eps, groups, centered):
    """ẑ = (z − μ)/√(v + ε), h = γẑ + β."""
    z, h, z_hat = carray(z, (n, m)), carray(h, (n, m)), carray(z_hat, (n, m))
    gamma, beta, std, middle = carray(gamma, n), carray(beta, n), carray(std, (groups, m)), carray(work, m)
    size = n // groups
    for group in range(groups):
        root = std[group]
        _measure(z, group * size, (group + 1) * size, centered == 1, z.dtype.type(eps), middle, root)
        for i in range(group * size, (group + 1) * size):
            g, b = gamma[i], beta[i]
            for j in range(m):
                v = (z[i, j] - middle[j]) / root[j]
                z_hat[i, j] = v
                h[i, j] = v * g + b


def _denormalize(delta, z_hat, std, gamma, d_gamma, d_beta, work, n, m, groups, centered):
    """δ ← (g − mean g − ẑ mean(g ⊙ ẑ))/√(v + ε), g = γδ, over the units of a group; nothing of mean g where nothing is centered."""
    delta, z_hat, work = carray(delta, (n, m)), carray(z_hat, (n, m)), carray(work, (2, m))
    std, gamma, d_gamma, d_beta = carray(std, (groups, m)), carray(gamma, n), carray(d_gamma, n), carray(d_beta, n)
    size = n // groups
    count = delta.dtype.type(size)
    for group in range(groups):
        shift, tilt, root = work[0], work[1], std[group]
        for j in range(m):
            shift[j] = 0
            tilt[j] = 0
        for i in range(group * size, (group + 1) * size):
            d_beta[i], d_gamma[i] = along(delta[i], z_hat[i])
            scale = gamma[i]
            for j in range(m):
                g = delta[i, j] * scale
                delta[i, j] = g
                shift[j] += g
                tilt[j] += g * z_hat[i, j]
        for j in range(m):
            shift[j] = shift[j] / count if centered == 1 else delta.dtype.type(0)
            tilt[j] /= count
        for i in range(group * size, (group + 1) * size):
            for j in range(m):
                delta[i, j] = (delta[i, j] - shift[j] - z_hat[i, j] * tilt[j]) / root[j]


def _evaluate(z, gamma, beta, mean, variance, h, work, n, m, eps, groups, centered):
    """H = γẑ + β, as in training."""
    z, h, gamma, beta, work = carray(z, (n, m)), carray(h, (n, m)), carray(gamma, n), carray(beta, n), carray(work, (2, m))
    size = n // groups
    for group in range(groups):
        middle, root = work[0], work[1]
        _measure(z, group * size, (group + 1) * size, centered == 1, z.dtype.type(eps), middle, root)
        for i in range(group * size, (group + 1) * size):
            g, b = gamma[i], beta[i]
            for j in range(m):
                h[i, j] = (z[i, j] - middle[j]) / root[j] * g + b


KERNELS = {
    "forward": (_normalize, forward_signature, ENTRIES),
    "backward": (_denormalize, backward_signature, ENTRIES),
    "evaluate": (_evaluate, evaluate_signature, ENTRIES),
}
