"""Singular values of the Jacobian of a net's hidden layers, from a snapshot of one example."""

from pathlib import Path

import numpy as np

from bpcore.activation import Activation
from bpcore.arrays import FloatArray


def squared_singular_values(snapshot: Path, depth: int, phi: Activation) -> FloatArray:
    """Return s² of J = ∂a^D/∂x = D_D W_D ⋯ D_1 W_1 at the first example, in descending order.

    Args:
        snapshot: a run's file.
        depth: D, hidden layers.
        phi: their activation.
    """
    with np.load(snapshot) as arrays:
        product = np.eye(arrays["W1"].shape[1])
        for l in range(1, depth + 1):
            product = phi.prime(arrays[f"z{l}"][:, :1].astype(float)) * (arrays[f"W{l}"].astype(float) @ product)
    return np.asarray(np.linalg.svd(product, compute_uv=False) ** 2, dtype=np.float64)
