"""Shattering: how alike the gradients of the network's function are at different inputs."""

from dataclasses import replace

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.layers import Layers
from bpcore.measure.extended import PER_EXAMPLE, Extended
from bpcore.mlp import input_gradient, propagate
from bpcore.network import Network, Trace


def mean_cosine(vectors: Array) -> FloatArray:
    """Return the mean cosine over all pairs of columns, from Σ_(i≠j) u_i·u_j = ‖Σ_i u_i‖² − k with u_i of norm 1.

    Args:
        vectors: (R, n, m); columns that are 0 have no direction and are left out.

    Returns:
        (R,), in [−1/(k−1), 1] for k columns; NaN where k < 2 or an entry is not finite.
    """
    peak = np.abs(vectors).max(axis=-2, keepdims=True)
    scaled = vectors / np.where(peak > 0, peak, 1)  # so that squares neither underflow nor overflow
    length = np.sqrt((scaled * scaled).sum(axis=-2, keepdims=True))
    total = (scaled / np.where(peak > 0, length, 1)).sum(axis=-1)
    k = (peak > 0).sum(axis=(-2, -1))
    pairs = np.where(k > 1, k * (k - 1.0), np.nan)
    finite = np.isfinite(peak).all(axis=(-2, -1))
    return np.where(finite, ((total * total).sum(axis=-1) - k) / pairs, np.nan)


def gradient_cosine(network: Network, params: Layers, trace: Trace) -> FloatArray:
    """Return, per layer, the mean cosine between the gradients of f at pairs of different examples.

    g_i^l = ∂f(x_i)/∂z_i^l with f = Σ_k a_k^L, and ∂f(x_i)/∂x_i at layer 0: of the function itself, whatever the loss.
    The statistics of batch normalization are held fixed, since f(x_i) is a function of one input; with the batch's
    own, the g_i of a layer sum to zero and their mean cosine is near −1/(m−1) however alike they are.

    Args:
        network: the architecture.
        params: of the forward pass.
        trace: of the forward pass.

    Returns:
        (R, L+1), layer 0 first, computed in float64; NaN with fewer than two examples whose gradient is not 0.

    Source: Balduzzi et al. 2017, "The shattered gradients problem".
    """
    wide, L = params.map(lambda key, array: array.astype(np.float64, copy=False)), network.L
    h = {l: array.astype(np.float64, copy=False) for l, array in trace.h.items()}

    def through(l: int, gradient: Extended) -> Extended:
        return gradient.mapped(lambda mantissa: network.norm(l).backward_fixed(mantissa, params.own(l), trace.statistics[l]))

    top = Extended(network.phi(L).prime(h[L]), shared=PER_EXAMPLE)  # directions survive any depth
    gradients, _ = propagate(network, wide, replace(trace, h=h), top, through)
    gradients[0] = input_gradient(wide, gradients)
    return np.stack([mean_cosine(gradients[l].mantissa) for l in range(L + 1)], axis=-1)
