"""Sharpness: the largest eigenvalue of the Hessian of J, from exact Hessian-vector products."""

from collections.abc import Mapping

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.layers import Layers
from bpcore.mlp import backward, forward
from bpcore.network import Network

_STEP = 1e-30


def _flatten(layers: Layers) -> Array:
    return np.concatenate([array.ravel() for _, array in layers.items()])


def _unflatten(vector: Array, like: Layers) -> Layers:
    offsets = np.cumsum([0, *(array.size for _, array in like.items())])
    starts = {key: int(offset) for (key, _), offset in zip(like.items(), offsets[:-1], strict=True)}
    return like.map(lambda key, array: vector[starts[key] : starts[key] + array.size].reshape(array.shape))


def hessian_vector_product(
    network: Network, params: Layers, x: Array, y: Array, weight_decay: Array, v: FloatArray, masks: Mapping[int, Array] | None = None
) -> FloatArray:
    """Return Hv, exact to rounding, by one complex step through the gradient.

    Hv = Im ∇J(θ + i·s·v)/s. At kinks, H is that of the smooth piece.

    Args:
        network: the architecture.
        params: θ of one run (R = 1), float64.
        x: (1, n_0, m).
        y: (1, n_L, m).
        weight_decay: λ, (1, 1, 1).
        v: direction, flat, in the order of `Layers.items`.
        masks: M^l, where units are dropped; H is then that of the net that is left.

    Returns:
        Flat, as v.
    """
    direction = _unflatten(v, params)
    point = params.map(lambda key, array: array + 1j * _STEP * direction[key])
    _, gradients = backward(network, point, forward(network, point, x.astype(complex), masks=masks), y, weight_decay)
    ordered = params.map(lambda key, array: gradients[key])
    return np.asarray(_flatten(ordered).imag / _STEP)


def sharpness(
    network: Network,
    params: Layers,
    x: Array,
    y: Array,
    weight_decay: Array,
    tolerance: float = 1e-6,
    masks: Mapping[int, Array] | None = None,
) -> float:
    """Return the largest eigenvalue of the Hessian of J by Lanczos iteration.

    Args:
        network: the architecture.
        params: θ of one run (R = 1); computed in float64.
        x: (1, n_0, m).
        y: (1, n_L, m).
        weight_decay: λ, (1, 1, 1).
        tolerance: relative, of λ_max.
        masks: M^l, where units are dropped.

    Returns:
        λ_max; NaN where θ or H is not finite or the iteration did not converge.

    Source: Cohen et al. 2021, appendix; Pearlmutter 1994 for the product.
    """
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh  # costly to import, rarely needed

    params = params.map(lambda key, array: array.astype(np.float64))
    theta = _flatten(params)
    if not np.isfinite(theta).all():
        return float("nan")
    x, y, weight_decay = (array.astype(np.float64) for array in (x, y, weight_decay))

    def product(v: Array) -> FloatArray:
        image = hessian_vector_product(network, params, x, y, weight_decay, v.ravel(), masks)
        if not np.isfinite(image).all():
            raise FloatingPointError("H v is not finite")  # LAPACK would print its own complaint
        return image

    operator = LinearOperator((theta.size, theta.size), matvec=product, dtype=np.float64)
    start = np.random.Generator(np.random.PCG64(0)).standard_normal(theta.size)
    try:
        values = eigsh(operator, k=1, which="LA", v0=start, tol=tolerance, return_eigenvectors=False)
    except (ArpackNoConvergence, FloatingPointError):
        return float("nan")
    return float(values[0])
