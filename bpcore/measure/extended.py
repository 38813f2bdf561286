"""δ beyond floating point: the backward pass with a power of two taken out of each layer and carried along.

Taking out a power of two is exact, and every step of the backward pass is linear in δ, so that the bits are those of
`mlp.backward` wherever that neither underflows nor overflows. A factor φ′ that is itself 0 in the run's dtype stays 0,
and a forward pass that overflowed cannot be mended.
"""

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.layers import Layers
from bpcore.mlp import Network, Trace
from bpcore.normalization import denormalize
from bpcore.norms import norm


def _take_out(x: Array) -> tuple[Array, Array]:
    """Return x·2^−e and e, (R, 1, 1), per run; e is 0 unless the largest entry lies far from 1.

    Far means beyond the fourth root of the dtype's range: one more layer then cannot leave the range, and an ordinary
    δ is not touched at all.
    """
    window = np.finfo(x.dtype).maxexp // 4
    peak = np.abs(x).max(axis=(-2, -1), keepdims=True)
    exponent = np.frexp(peak)[1]  # 0 for 0; arbitrary for what is not finite
    exponent = np.where(np.isfinite(peak) & (np.abs(exponent) > window), exponent, 0)
    return (np.ldexp(x, -exponent) if exponent.any() else x), exponent.astype(np.int64)


def extended_backward(network: Network, params: Layers, trace: Trace, y: Array) -> tuple[dict[int, Array], dict[int, Array]]:
    """Propagate the error back by BP1 and BP2, with exponents.

    δ^l = mantissa^l · 2^(exponent^l), one exponent per run and layer.

    Args:
        network: the architecture.
        params: of the forward pass.
        trace: of the forward pass.
        y: targets, (R or 1, n_L, m).

    Returns:
        Mantissas for l = 0…L, each (R, n_l, m) in the run's dtype, and exponents, each (R,) int64.
    """
    W, L = params.W, network.L
    mantissa, taken = _take_out(network.loss.delta(trace.h[L], y, network.output_activation))  # BP1
    mantissas, exponents = {L: mantissa}, {L: taken}
    for l in range(L - 1, -1, -1):
        flow, taken_flow = _take_out(W[l + 1].mT @ mantissas[l + 1])
        exponent = exponents[l + 1] + taken_flow
        if l > 0:
            slope, taken_slope = _take_out(network.phi(l).prime(trace.h[l]))
            flow = flow * slope  # BP2
            if network.normalized(l):
                flow, _, _ = denormalize(flow, params.gamma[l], trace.statistics[l])
            flow, taken = _take_out(flow)
            exponent = exponent + taken_slope + taken
        mantissas[l], exponents[l] = flow, exponent
    return mantissas, {l: exponent[..., 0, 0] for l, exponent in exponents.items()}


def log10_delta_norm(network: Network, params: Layers, trace: Trace, y: Array, plain: FloatArray) -> FloatArray:
    """Return log10 of δ's norm of every layer, whatever its size.

    log10 √(mean_i ‖δ_i‖²) = log10 of the mantissa's norm + exponent · log10 2.

    Args:
        network: the architecture.
        params: of the forward pass.
        trace: of the forward pass.
        y: targets, (R or 1, n_L, m).
        plain: √(mean_i ‖δ_i‖²) as measured without exponents, (R, L+1); taken where no exponent was needed.

    Returns:
        (R, L+1), layer 0 first; −inf where δ is 0, NaN where it is not a number.
    """
    with np.errstate(all="ignore"):  # log10 0 is −inf, and what is not finite stays so
        mantissas, exponents = extended_backward(network, params, trace, y)
        result = np.log10(plain)
        for l, mantissa in mantissas.items():
            size = np.log10(norm(mantissa) / np.sqrt(mantissa.shape[-1])) + exponents[l] * np.log10(2.0)
            result[:, l] = np.where(exponents[l] == 0, result[:, l], size)
    return np.asarray(result)
