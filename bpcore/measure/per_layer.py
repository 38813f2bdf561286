"""What is measured of every layer at a step: norms and what is made of them, moments and fractions."""

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.measure import instruments
from bpcore.measure.modes import MODE_COLUMNS
from bpcore.measure.probes import PROBE_COLUMNS
from bpcore.measure.quantities import BIAS_GRADIENT, DELTA, UPDATE, WEIGHT, WEIGHT_GRADIENT
from bpcore.mlp import Network, Trace

DELTA_COLUMNS = ("delta_norm", "delta_mean_norm", "delta_rms", "zero")
"""What is measured of δ; the input gradient δ^0 has these alone."""

PARAMETER_COLUMNS = ("weight_grad_norm", "bias_grad_norm", "weight_norm", "update_ratio")
FULL_COLUMNS = ("z_mean", "z_var", "a_mean", "a_var", "saturated", "dead")
COSTLY_COLUMNS = ("zero", *FULL_COLUMNS)
LAYER_COLUMNS = DELTA_COLUMNS + PARAMETER_COLUMNS + FULL_COLUMNS + PROBE_COLUMNS
STEP_COLUMNS = ("loss", "accuracy", "grad_norm", "grad_norm_clipped", "clipped", "sharpness", *MODE_COLUMNS)


def norm_columns(network: Network, norms: FloatArray, m: int) -> dict[str, FloatArray]:
    """Return the columns that are norms, or made of them, for all steps at once.

    Args:
        network: the architecture.
        norms: (7, R, S, L+1), each step as `Norms.finish` gives it.
        m: examples in the batch.

    Returns:
        Column -> (R, S, L+1), layer 0 first; NaN where a column does not apply.
    """
    with np.errstate(all="ignore"):  # of rows that are not there, and of W = 0
        columns = {
            "delta_norm": norms[DELTA] / np.sqrt(m),
            "delta_mean_norm": norms[BIAS_GRADIENT].copy(),  # BP3: ∂J/∂b is the mean of δ
            "weight_grad_norm": norms[WEIGHT_GRADIENT],
            "bias_grad_norm": norms[BIAS_GRADIENT],
            "weight_norm": norms[WEIGHT],
            "update_ratio": norms[UPDATE] / norms[WEIGHT],
        }
    columns["delta_rms"] = columns["delta_norm"] / np.sqrt(network.sizes)
    if network.normalization.active:  # there the mean of δ is zero by construction, and W¹ᵀ times it too
        columns["delta_mean_norm"][..., : network.L if network.L > 1 else 0] = np.nan
    for name in PARAMETER_COLUMNS:
        columns[name][..., 0] = np.nan
    return columns


def costly_columns(network: Network, trace: Trace, delta: dict[int, Array]) -> dict[str, FloatArray]:
    """Measure what has to look at every entry once more.

    Args:
        network: the architecture.
        trace: of the forward pass.
        delta: δ^l for l = 0…L.

    Returns:
        COSTLY_COLUMNS -> (R, L+1), layer 0 first; NaN where a column does not apply.
    """
    columns = {name: np.full((delta[network.L].shape[0], network.L + 1), np.nan) for name in COSTLY_COLUMNS}
    for l in range(network.L + 1):
        columns["zero"][:, l] = instruments.zero(delta[l])
        if l > 0:
            columns["z_mean"][:, l] = instruments.mean(trace.z[l])
            columns["z_var"][:, l] = instruments.variance(trace.z[l])
            columns["a_mean"][:, l] = instruments.mean(trace.a[l])
            columns["a_var"][:, l] = instruments.variance(trace.a[l])
            columns["saturated"][:, l] = instruments.saturated(trace.h[l], network.phi(l))
            columns["dead"][:, l] = instruments.dead(trace.a[l])
    return columns
