"""What is measured of every layer at a step: norms and what is made of them, moments and fractions."""

from collections.abc import Callable

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.layers import Layers
from bpcore.measure import instruments
from bpcore.measure.quantities import BIAS_GRADIENT, DELTA, UPDATE, WEIGHT, WEIGHT_GRADIENT
from bpcore.network import Network, Trace

GLANCED = ("saturated", "dead")
"""What is measured now and then in any run: it tells when a layer died, and costs a pass over its entries."""


def _activated(network: Network, trace: Trace, l: int) -> Array:
    """Return φ(h^l), of which a normalization behind φ, a mask or a skip makes something else."""
    changed = network.norm(l).after or network.skip.onto_a or l in trace.masks
    return network.phi(l).value(trace.h[l]) if changed else trace.a[l]


_ENTRIES: dict[str, Callable[[Network, Trace, int], FloatArray]] = {
    "z_mean": lambda network, trace, l: instruments.mean(trace.z[l]),
    "z_var": lambda network, trace, l: instruments.variance(trace.z[l]),
    "a_mean": lambda network, trace, l: instruments.mean(trace.a[l]),
    "a_var": lambda network, trace, l: instruments.variance(trace.a[l]),
    "saturated": lambda network, trace, l: instruments.saturated(trace.h[l], network.phi(l)),
    "dead": lambda network, trace, l: instruments.dead(_activated(network, trace, l)),
}
"""Column: what is measured of the layers 1…L of a pass, (R,)."""


def norm_columns(network: Network, norms: FloatArray, m: int) -> dict[str, Array]:
    """Return the columns that are norms, or made of them, for all steps at once.

    Args:
        network: the architecture.
        norms: (8, R, S, L+1), by `quantities`; those of gradients are of means over the batch.
        m: examples in the batch.

    Returns:
        Column -> (R, S, L+1), layer 0 first; NaN where a column does not apply.
    """
    with np.errstate(all="ignore"):  # of rows that are not there, and of W = 0
        columns: dict[str, Array] = {
            "delta_norm": norms[DELTA] / np.sqrt(m),
            "delta_mean_norm": norms[BIAS_GRADIENT].copy(),  # BP3: ∂J/∂b is the mean of δ
            "weight_grad_norm": norms[WEIGHT_GRADIENT],
            "bias_grad_norm": norms[BIAS_GRADIENT],
            "weight_norm": norms[WEIGHT],
            "update_ratio": norms[UPDATE] / norms[WEIGHT],
        }
    columns["delta_rms"] = columns["delta_norm"] / np.sqrt(network.sizes)
    if network.normalization.centers:  # there the mean of δ is zero by construction, and W¹ᵀ times it too
        columns["delta_mean_norm"][..., : network.L if network.L > 1 else 0] = np.nan
    for name in ("weight_grad_norm", "bias_grad_norm", "weight_norm", "update_ratio"):
        columns[name][..., 0] = np.nan
    columns["finite"] = np.isfinite(columns["delta_norm"])
    with np.errstate(divide="ignore", invalid="ignore"):  # log10 0 is −inf
        columns["log10_delta_norm"] = np.log10(columns["delta_norm"])
    return columns


def costly_columns(network: Network, params: Layers, trace: Trace, delta: dict[int, Array]) -> dict[str, FloatArray]:
    """Measure what has to look at every entry once more.

    Args:
        network: the architecture.
        params: of the forward pass.
        trace: of the forward pass.
        delta: δ^l for l = 0…L.

    Returns:
        Column -> (R, L+1), layer 0 first; NaN where a column does not apply.
    """
    columns = {name: np.full((delta[network.L].shape[0], network.L + 1), np.nan) for name in ("zero", "equal_units", *_ENTRIES)}
    for l in range(network.L + 1):
        columns["zero"][:, l] = instruments.zero(delta[l])
        if l > 0:
            columns["equal_units"][:, l] = instruments.equal_units(params.W[l], params.b[l])
            for name, measure in _ENTRIES.items():
                columns[name][:, l] = measure(network, trace, l)
    return columns
