"""Measurements that a run asks for by name and that need a pass of their own, whatever the step loop does."""

from collections.abc import Callable, Mapping

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.layers import Layers
from bpcore.measure.extended import log10_delta_norm
from bpcore.measure.instruments import effective_rank
from bpcore.measure.shattering import gradient_cosine
from bpcore.mlp import forward
from bpcore.network import Network, Trace


def probe_layers(
    network: Network,
    params: Layers,
    x: Array,
    y: Array,
    delta_norm: FloatArray,
    wanted: frozenset[str],
    masks: Mapping[int, Array] | None = None,
) -> dict[str, FloatArray]:
    """Measure the columns that a pass of their own is made for.

    Args:
        network: the architecture.
        params: before the update.
        x: the batch, (R or 1, n_0, m).
        y: its targets, (R or 1, n_L, m).
        delta_norm: as the step loop measured it, (R, L+1).
        wanted: of extended, gradient_cosine and a_rank.
        masks: of the step, where units are dropped.

    Returns:
        Column -> (R, L+1), layer 0 first, of what is wanted.
    """
    with np.errstate(all="ignore"):
        trace = forward(network, params, x, masks=masks)
        made: dict[str, tuple[str, Callable[[], FloatArray]]] = {
            "extended": ("log10_delta_norm", lambda: log10_delta_norm(network, params, trace, y, delta_norm)),
            "gradient_cosine": ("gradient_cosine", lambda: gradient_cosine(network, params, trace)),
            "a_rank": ("a_rank", lambda: _ranks(trace, delta_norm.shape)),
        }
        return {column: measure() for name, (column, measure) in made.items() if name in wanted}


def _ranks(trace: Trace, shape: tuple[int, ...]) -> FloatArray:
    ranks = np.full(shape, np.nan)
    for l, a in trace.a.items():
        ranks[:, l] = effective_rank(a)
    return ranks
