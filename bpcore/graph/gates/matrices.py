"""Products and transposes of matrices."""

import numpy as np

from bpcore.graph.node import Array, Gate


def _matrices(g: Array, x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Return g, x, y as matrices: a vector on the left is a row, on the right a column."""
    g = np.expand_dims(g, -1) if y.ndim == 1 else g
    g = np.expand_dims(g, -2) if x.ndim == 1 else g
    return g, (x[None, :] if x.ndim == 1 else x), (y[:, None] if y.ndim == 1 else y)


def _matmul_left(g: Array, out: Array, x: Array, y: Array) -> Array:
    g, _, Y = _matrices(g, x, y)
    product = g @ Y.mT
    return product[..., 0, :] if x.ndim == 1 else product


def _matmul_right(g: Array, out: Array, x: Array, y: Array) -> Array:
    g, X, _ = _matrices(g, x, y)
    product = X.mT @ g
    return product[..., 0] if y.ndim == 1 else product


matmul = Gate(
    "matmul",
    lambda x, y: x @ y,
    (_matmul_left, _matmul_right),
    rule="∂f/∂X = G Yᵀ, ∂f/∂Y = Xᵀ G",
    source="Giles 2008, §2.2",
    operator="@",
    role="switch",
)

transpose = Gate(
    "transpose",
    lambda x: x.mT,
    (lambda g, out, x: g.mT,),
    rule="∂f/∂X = Gᵀ",
    source="Giles 2008, §2.2",
    operator="T",
    symbol="ᵀ",
)
