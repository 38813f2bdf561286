"""Which kernels a kind of net and of training needs, with their constants, as parts of a plan."""

from typing import Any

import numpy as np

from bpcore.clipping import Clip
from bpcore.engine import twins
from bpcore.engine.plan import gemm_address
from bpcore.measure.instruments import SATURATION
from bpcore.network import Network
from bpcore.optimizers import Optimizer

TURNED = 128
"""Up to this fan-in a is transposed before δ aᵀ: BLAS is two to three times slower on it as it stands."""

Parts = dict[str, Any]
"""Name -> number or array, as a plan wants them."""


def kernels_of(network: Network, rule: Optimizer, clipping: Clip, dtype: str) -> Parts | None:
    """Return addresses and constants of the kernels of a kind of net and of training, None where one of them does not exist.

    Args:
        network: the architecture.
        rule: the optimizer.
        clipping: the clipping rule.
        dtype: float64 or float32.
    """
    layers = range(1, network.L + 1)
    phis = {l: twins.of_activation(network.phi(l)) for l in layers}
    norms = [twins.of_normalization(kind) for kind in {network.norm(l) for l in layers if network.normalized(l)}]
    top, advance, limit = twins.of_loss(network.loss), twins.of_optimizer(rule), twins.of_clip(clipping) if clipping.acts else None
    if None in phis.values() or None in norms or len(norms) > 1 or top is None or advance is None or (clipping.acts and limit is None):
        return None
    constants, addresses, limits = (
        np.zeros((network.L + 1, 2), dtype=dtype),
        np.zeros(network.L + 1, dtype=np.int64),
        np.zeros(network.L + 1),
    )
    for l, found in phis.items():
        assert found is not None
        phi = network.phi(l)
        addresses[l], constants[l], limits[l] = found[0].address(dtype), found[1], np.nan if phi.steep else SATURATION * phi.max_prime
    norm = norms[0] if norms else None
    kernel, further = limit or (None, [])
    return {
        "phi": addresses,
        "phi_constants": constants,
        "limits": limits,
        "loss": top[0].address(dtype),
        "loss_scale": 1.0 if top[1] is None else top[1] / network.sizes[-1],
        "logits": int(network.loss.takes_logits),
        "normalize": norm.forward.address(dtype) if norm else 0,
        "denormalize": norm.backward.address(dtype) if norm else 0,
        "evaluate": norm.evaluate.address(dtype) if norm else 0,
        "eps": norm.eps if norm else 0.0,
        "momentum": norm.momentum if norm else 0.0,
        "norm_after": int(network.normalization.after),
        "groups": norm.groups if norm else 0,
        "centered": int(norm is not None and norm.centered),
        "advance": advance[0].address(dtype),
        "proportional": int(rule.proportional),
        "constants": np.array([*advance[1], 0.0]),
        "clip": kernel.address(dtype) if kernel else 0,
        "clip_constants": np.array([*further, 0.0]),
        "remembers": int(clipping.remembers),
        "gemm": gemm_address(dtype),
        "itemsize": np.dtype(dtype).itemsize,
        "longest_turned": TURNED,
    }
