"""Where a pass first left the finite numbers: the quantity and its layer, on the way up and then down."""

from collections.abc import Iterator

import numpy as np

from bpcore.arrays import Array
from bpcore.layers import Layers
from bpcore.network import Network, Trace


def first_nonfinite(
    network: Network, params: Layers, trace: Trace, delta: dict[int, Array], gradients: Layers
) -> list[tuple[str, int] | None]:
    """Name the first quantity of each run that holds an entry that is not finite.

    In the order in which a step makes them: W and b, z and a of each layer upward, then δ and ∂J/∂W of each layer downward.

    Args:
        network: the architecture.
        params: before the update.
        trace: of the forward pass.
        delta: δ^l, l = 1…L.
        gradients: of J.

    Returns:
        Per run (quantity, layer), the quantity one of W, b, z, a, δ, ∂J/∂W, ∂J/∂b; None where all are finite, so that the sum over
        them is what left the finite numbers.
    """
    runs = params.W[1].shape[0]
    found: list[tuple[str, int] | None] = [None] * runs
    for quantity, layer, array in _in_order(network, params, trace, delta, gradients):
        broken = ~np.isfinite(array).all(axis=(-2, -1))
        for run in np.flatnonzero(np.broadcast_to(broken, (runs,))):
            if found[run] is None:
                found[run] = (quantity, layer)
        if None not in found:
            break
    return found


def _in_order(
    network: Network, params: Layers, trace: Trace, delta: dict[int, Array], gradients: Layers
) -> Iterator[tuple[str, int, Array]]:
    for l in range(1, network.L + 1):
        yield from (("W", l, params.W[l]), ("b", l, params.b[l]), ("z", l, trace.z[l]), ("a", l, trace.a[l]))
    for l in range(network.L, 0, -1):
        yield from (("δ", l, delta[l]), ("∂J/∂W", l, gradients.W[l]), ("∂J/∂b", l, gradients.b[l]))
