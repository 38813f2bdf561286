"""δ beyond floating point: the backward pass with a power of two taken out of each layer and carried along.

Taking out a power of two is exact, and every step of the backward pass is linear in δ, so that the bits are those of
`mlp.backward` wherever that neither underflows nor overflows. A factor φ′ that is itself 0 in the run's dtype stays 0,
and a forward pass that overflowed cannot be mended.
"""

from collections.abc import Callable

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.layers import Layers
from bpcore.mlp import input_gradient, propagate
from bpcore.network import Network, Trace
from bpcore.norms import norm

PER_RUN, PER_EXAMPLE = (-2, -1), (-2,)
"""The axes of (R, n, m) over which entries share an exponent."""

_FAR = 2**30
"""An exponent that no error has: what is so much smaller than another is 0 beside it."""


def _take_out(x: Array, shared: tuple[int, ...]) -> tuple[Array, Array]:
    """Return x·2^−e and e, (R, 1, 1) or (R, 1, m); e is 0 unless the largest entry lies far from 1.

    Far means beyond the fourth root of the dtype's range: one more layer then cannot leave the range, and an ordinary
    δ is not touched at all.
    """
    window = np.finfo(x.dtype).maxexp // 4
    peak = np.abs(x).max(axis=shared, keepdims=True)
    exponent = np.frexp(peak)[1]  # 0 for 0; arbitrary for what is not finite
    exponent = np.where(np.isfinite(peak) & (np.abs(exponent) > window), exponent, 0)
    return (np.ldexp(x, -exponent) if exponent.any() else x), exponent.astype(np.int64)


class Extended:
    """Hold an error as mantissa · 2^exponent; it takes part in W.mT @ δ, δ * φ′ and δ + δ as an array does.

    Args:
        mantissa: (R, n, m), in the run's dtype.
        exponent: (R, 1, 1) or (R, 1, m), int64.
        shared: the axes whose entries share an exponent: PER_RUN or PER_EXAMPLE.
    """

    __array_ufunc__ = None  # numpy leaves the products to this class

    def __init__(self, mantissa: Array, exponent: Array | int = 0, shared: tuple[int, ...] = PER_RUN) -> None:
        self.mantissa, self.exponent, self.shared = mantissa, exponent, shared

    def __rmatmul__(self, matrix: Array) -> "Extended":
        """Return matrix @ self."""
        return self.mapped(lambda mantissa: matrix @ mantissa)

    def __mul__(self, slope: Array) -> "Extended":
        """Return self * slope, entry by entry."""
        slope, taken = _take_out(slope, self.shared)
        return Extended(self.mantissa * slope, self.exponent + taken, self.shared)

    def __add__(self, other: "Extended") -> "Extended":
        """Return self + other, of which the larger has its exponent."""
        own, others = (np.where(np.any(part.mantissa, axis=self.shared, keepdims=True), part.exponent, -_FAR) for part in (self, other))
        exponent = np.maximum(own, others)
        exponent = np.where(exponent == -_FAR, 0, exponent)  # of 0 + 0
        parts = (np.ldexp(part.mantissa, np.clip(part.exponent - exponent, -_FAR, 0)) for part in (self, other))
        return Extended(sum(parts), exponent, self.shared).mapped(lambda mantissa: mantissa)

    def mapped(self, linear: Callable[[Array], Array]) -> "Extended":
        """Return what a linear map makes of it, its mantissa near 1 again."""
        mantissa, taken = _take_out(linear(self.mantissa), self.shared)
        return Extended(mantissa, self.exponent + taken, self.shared)


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

    def through(l: int, error: Extended) -> Extended:
        return error.mapped(lambda mantissa: network.norm(l).backward(mantissa, params.own(l), trace.statistics[l])[0])

    error = Extended(network.loss.delta(trace.h[network.L], y, network.output_activation)).mapped(lambda mantissa: mantissa)  # BP1
    delta, _ = propagate(network, params, trace, error, through)
    delta[0] = input_gradient(params, delta)
    down = sorted(delta, reverse=True)
    return {l: delta[l].mantissa for l in down}, {l: delta[l].exponent[..., 0, 0] for l in down}


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
