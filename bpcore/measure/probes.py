"""Measurements that a run asks for by name and that need a pass of their own, whatever the step loop does."""

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.layers import Layers
from bpcore.measure.extended import log10_delta_norm
from bpcore.measure.instruments import effective_rank
from bpcore.measure.shattering import gradient_cosine
from bpcore.mlp import Network, forward

PROBE_COLUMNS = ("log10_delta_norm", "gradient_cosine", "a_rank")


def unprobed(delta_norm: FloatArray) -> dict[str, FloatArray]:
    """Return the columns of rows that no probe was made for: log10_delta_norm from delta_norm itself, the others NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):  # log10 0 is −inf
        logarithm = np.log10(delta_norm)
    return {"log10_delta_norm": logarithm} | {name: np.full(delta_norm.shape, np.nan) for name in PROBE_COLUMNS[1:]}


def probe_layers(
    network: Network, params: Layers, x: Array, y: Array, delta_norm: FloatArray, wanted: frozenset[str]
) -> dict[str, FloatArray]:
    """Measure the columns that a pass of their own is made for.

    Args:
        network: the architecture.
        params: before the update.
        x: the batch, (R or 1, n_0, m).
        y: its targets, (R or 1, n_L, m).
        delta_norm: as the step loop measured it, (R, L+1).
        wanted: of extended, gradient_cosine and a_rank.

    Returns:
        Column -> (R, L+1), layer 0 first; see `unprobed` for what is not wanted.
    """
    columns = unprobed(delta_norm)
    with np.errstate(all="ignore"):
        trace = forward(network, params, x)
        if "extended" in wanted:
            columns["log10_delta_norm"] = log10_delta_norm(network, params, trace, y, delta_norm)
        if "gradient_cosine" in wanted:
            columns["gradient_cosine"] = gradient_cosine(network, params, trace)
        if "a_rank" in wanted:
            for l, a in trace.a.items():
                columns["a_rank"][:, l] = effective_rank(a)
    return columns
