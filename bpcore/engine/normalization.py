"""Normalization in place: h and what is kept written into buffers, the error at h turned into the error at z.

A class of normalizations that has no twin here is computed as the textbook says and copied.
"""

import functools
from dataclasses import dataclass

import numpy as np

from bpcore.arrays import Array
from bpcore.normalization import Batch, BatchStatistics, Kept, Normalization, Own


@dataclass(frozen=True)
class Buffers:
    """Hold where a layer's normalization may write.

    Args:
        h: for h, (R, n, m).
        z_hat: for ẑ, (R, n, m); kept from the forward to the backward pass.
        scratch: for anything, (R, n, m).
        ones: (m, 1), for sums over the batch.
    """

    h: Array
    z_hat: Array
    scratch: Array
    ones: Array


@functools.singledispatch
def normalize(kind: Normalization, z: Array, own: Own, buffers: Buffers) -> Kept:
    """Write h and return what the backward pass needs.

    Args:
        kind: the normalization.
        z: (R, n, m).
        own: what the layer learns.
        buffers: of the layer.
    """
    buffers.h[...], kept = kind.forward(z, own)
    return kept


@functools.singledispatch
def denormalize(kind: Normalization, delta: Array, own: Own, kept: Kept, buffers: Buffers) -> dict[str, Array]:
    """Turn the error at h into that at z, and return m times the gradients of what is learned, (R, n, 1) each.

    Args:
        kind: the normalization.
        delta: m·∂J/∂h, (R, n, m); overwritten.
        own: what the layer learns.
        kept: of the forward pass.
        buffers: of the layer.
    """
    delta[...], gradients = kind.backward(delta, own, kept)
    return {name: gradient * delta.shape[-1] for name, gradient in gradients.items()}


@normalize.register
def _(kind: Batch, z: Array, own: Own, buffers: Buffers) -> Kept:
    m, z_hat, scratch, h = z.shape[-1], buffers.z_hat, buffers.scratch, buffers.h
    mean = np.matmul(z, buffers.ones) / m
    np.subtract(z, mean, out=z_hat)
    np.multiply(z_hat, z_hat, out=scratch)
    variance = np.matmul(scratch, buffers.ones) / m
    std = np.sqrt(variance + kind.eps)
    np.divide(z_hat, std, out=z_hat)
    np.multiply(z_hat, own["gamma"], out=h)
    np.add(h, own["beta"], out=h)
    return BatchStatistics(z_hat, std, mean, variance)


@denormalize.register
def _(kind: Batch, delta: Array, own: Own, kept: Kept, buffers: Buffers) -> dict[str, Array]:
    m, z_hat, scratch = delta.shape[-1], kept.z_hat, buffers.scratch
    beta = np.matmul(delta, buffers.ones)
    np.multiply(delta, z_hat, out=scratch)
    gamma = np.matmul(scratch, buffers.ones)
    np.multiply(z_hat, gamma / m, out=scratch)
    np.subtract(delta, beta / m, out=delta)
    np.subtract(delta, scratch, out=delta)
    np.multiply(delta, own["gamma"] / kept.std, out=delta)
    return {"gamma": gamma, "beta": beta}
