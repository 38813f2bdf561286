"""Modes of deep linear networks: how strongly the end-to-end map carries each mode of the data."""

import numpy as np

from bpcore.arrays import FloatArray
from bpcore.layers import Layers

STRONGEST = 4
"""Modes that have a column of their own."""


def end_to_end(params: Layers) -> FloatArray:
    """Return W^L ⋯ W^1, shape (R, n_L, n_0), in float64."""
    product, *rest = (params.W[l].astype(np.float64) for l in sorted(params.W))
    for W in rest:
        product = W @ product
    return np.asarray(product)


def data_modes(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the singular value decomposition U, s, Vᵀ of Σ^yx = (1/m) Σ_i y_i x_iᵀ.

    Args:
        x: (n_0, m).
        y: (n_L, m).

    Returns:
        U (n_L, k), s (k,) descending, Vᵀ (k, n_0) with k = min(n_0, n_L).

    Source: Saxe et al. 2013.
    """
    U, s, Vh = np.linalg.svd(y @ x.T / x.shape[1], full_matrices=False)
    return U, s, Vh


def modes(params: Layers, x: FloatArray, y: FloatArray) -> dict[str, FloatArray]:
    """Measure every mode α of the data in the end-to-end map W = W^L ⋯ W^1 of a linear network.

    strength_α = u_αᵀ W v_α. On whitened inputs ((1/m) Σ_i x_i x_iᵀ = 1) and mse, target_α = s_α is where it ends.

    Args:
        params: of the stack; hidden layers and output are linear.
        x: all training inputs, (n_0, m).
        y: their targets, (n_L, m).

    Returns:
        target, strength (by descending target) and singular_value (of W itself, descending), each (R, k); NaN where W
        is not finite.

    Source: Saxe et al. 2013, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks".
    """
    U, s, Vh = data_modes(x, y)
    W = end_to_end(params)
    finite = np.asarray(np.isfinite(W).all(axis=(-2, -1)))
    safe = np.where(finite[:, None, None], W, 0.0)
    strength = np.diagonal(U.T @ safe @ Vh.T, axis1=-2, axis2=-1)
    values = np.linalg.svd(safe, compute_uv=False)
    lost = ~finite[:, None]
    return {
        "target": np.broadcast_to(s, strength.shape).copy(),
        "strength": np.where(lost, np.nan, strength),
        "singular_value": np.where(lost, np.nan, values),
    }


def mode_columns(params: Layers, x: FloatArray, y: FloatArray) -> dict[str, FloatArray]:
    """Return the strengths of the strongest modes and the ends of W's singular values, as columns.

    Args:
        params: of the stack; hidden layers and output are linear.
        x: all training inputs, (n_0, m).
        y: their targets, (n_L, m).

    Returns:
        Column -> (R,), the modes by descending target; NaN for modes that the data do not have.
    """
    measured = modes(params, x, y)
    strength, values = measured["strength"], measured["singular_value"]
    missing = np.full((strength.shape[0], STRONGEST), np.nan)
    numbered = np.concatenate([strength, missing], axis=1)[:, :STRONGEST]
    columns = {f"mode_{number}": column for number, column in enumerate(numbered.T, 1)}
    return columns | {"singular_value_max": values[:, 0], "singular_value_min": values[:, -1]}
