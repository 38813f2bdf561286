"""Everything of one step, copied."""

import numpy as np

from bpcore.arrays import Array
from bpcore.layers import Layers
from bpcore.network import Trace


def take_snapshot(
    run: int, params: Layers, trace: Trace, delta: dict[int, Array], gradients: Layers, x: Array, y: Array
) -> dict[str, Array]:
    """Copy everything of one run's step, so that another framework can recheck it.

    Args:
        run: index on the run axis.
        params: before the update.
        trace: of the forward pass.
        delta: δ^l.
        gradients: before clipping, with the λ term.
        x: the batch.
        y: its targets.

    Returns:
        Name -> array: x, y and per layer W b gamma beta z a delta dW db dgamma dbeta, and mask where units are dropped.
    """

    def own(array: Array) -> Array:
        return np.array(array[run if array.shape[0] > 1 else 0], order="C")

    arrays = {"x": own(x), "y": own(y)}
    for (kind, l), array in params.items():
        arrays[f"{kind}{l}"] = own(array)
    for (kind, l), array in gradients.items():
        arrays[f"d{kind}{l}"] = own(array)
    for l in trace.z:
        arrays[f"z{l}"], arrays[f"a{l}"], arrays[f"delta{l}"] = own(trace.z[l]), own(trace.a[l]), own(delta[l])
    return arrays | {f"mask{l}": own(mask) for l, mask in trace.masks.items()}
