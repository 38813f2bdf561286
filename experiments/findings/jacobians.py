"""Singular values of the Jacobian of a net's hidden layers, from a snapshot of one example."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def squared_singular_values(snapshot: Path, depth: int, prime: Callable[[Any], Any]) -> NDArray[np.float64]:
    """Return s² of J = ∂a^D/∂x = D_D W_D ⋯ D_1 W_1 at the first example, in descending order.

    Args:
        snapshot: a run's file.
        depth: D, hidden layers.
        prime: φ′ of them.
    """
    with np.load(snapshot) as arrays:
        product = np.eye(arrays["W1"].shape[1])
        for l in range(1, depth + 1):
            product = prime(arrays[f"z{l}"][:, :1].astype(float)) * (arrays[f"W{l}"].astype(float) @ product)
    return np.asarray(np.linalg.svd(product, compute_uv=False) ** 2, dtype=np.float64)
