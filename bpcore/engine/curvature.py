"""The sharpness of many starts at once, by the engine's gradients: a product with the Hessian is the difference of two of them.

Hv = [∇J(θ + hv) − ∇J(θ)]/h + O(h), ‖v‖ = 1, h = √ε·‖θ‖. Rounding of ∇J leaves ε‖∇J‖/h of error, curvature's own change h‖∇³J‖/2; both are
about √ε of what they stand beside, some 1e-8, where J changes over lengths of the order of θ. A kink is crossed with a chance of h alone.

Lanczos iteration, each run by itself, from its gradient: that lies mostly where curvature is largest. A tenth of noise is added, since a
gradient may keep to a subspace that the Hessian maps to itself (equal units). The largest Ritz value is never above λ_max but for the error
of the difference; how far below is measured in tests/bpcore/engine/test_curvature.py.

Source: Pearlmutter 1994 on the difference; Parlett 1998, ch. 13 on Lanczos; Gur-Ari et al. 2018 on where the gradient lies.
"""

from dataclasses import replace

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.clipping import none
from bpcore.dropout import Dropout
from bpcore.engine.batches import Batches, Examples
from bpcore.engine.layout import layout_of
from bpcore.engine.rows import Rates
from bpcore.engine.stepper import stepper_of
from bpcore.layers import Layers
from bpcore.network import Network
from bpcore.optimizers import sgd

PRODUCTS = 6
"""A bound on a learning rate is wanted to some per cent: nothing is known of it more closely."""

NOISE = 0.1


class _Chosen(Batches):
    """Deal the same examples at every step.

    Args:
        examples: the data.
        chosen: (R, m) int, each run's own.
    """

    def __init__(self, examples: Examples, chosen: Array) -> None:
        used, places = np.unique(chosen, return_inverse=True)
        super().__init__(Examples(examples.x[:, used], examples.y[:, used]), chosen.shape[1], [0] * len(chosen), "float64")
        self._chosen = places.reshape(chosen.shape)

    def _orders(self, epoch: int, position: int) -> Array:
        return self._chosen


def sharpness_of_stack(
    network: Network, params: Layers, examples: Examples, chosen: Array, weight_decay: FloatArray, products: int = PRODUCTS
) -> FloatArray:
    """Return the largest eigenvalue of the Hessian of J of each run, with no unit dropped.

    A mask may leave an example with nothing: z of a rectifier without biases is then 0, its kink, over which no difference may go.

    Args:
        network: the architecture.
        params: θ of the stack; computed in float64.
        examples: the data.
        chosen: (R, m) int, which of the examples J of each run is over.
        weight_decay: λ of each run, (R,).
        products: with the Hessian, at most.

    Returns:
        (R,) λ_max, from below; NaN where θ, a gradient or a product is not finite.
    """
    params = params.map(lambda _, array: array.astype(np.float64))
    theta, runs = layout_of(network).pack(params), len(chosen)
    rates = Rates(np.zeros(runs), np.zeros(runs), weight_decay.astype(np.float64), np.full(runs, np.inf))
    whole = replace(network, dropout=Dropout())
    stepper = stepper_of(whole, params, sgd(), none(), rates, _Chosen(examples, chosen), "float64")
    root = np.sqrt(np.finfo(np.float64).eps)
    noise = np.random.Generator(np.random.PCG64(0)).standard_normal(theta.shape[1])
    noise *= NOISE / np.sqrt(np.vecdot(noise, noise))
    with np.errstate(all="ignore"):
        h = root * np.sqrt(np.vecdot(theta, theta))
        h[h == 0] = root
        alphas, betas, counts = stepper.krylov(h, noise, min(products, theta.shape[1]))
    found: FloatArray = _largest(alphas, betas, counts) / h
    return found


def _largest(alphas: FloatArray, betas: FloatArray, counts: Array) -> FloatArray:
    """Return the largest eigenvalue of each run's tridiagonal matrix, NaN where an entry is not finite."""
    found, places = np.full(len(alphas), np.nan), np.arange(alphas.shape[1])
    T = np.zeros((*alphas.shape, places.size))
    T[:, places, places] = alphas
    T[:, places[1:], places[:-1]] = betas[:, :-1]  # of the lower half alone, as it is read
    finite = np.isfinite(T).all(axis=(1, 2))
    for count in np.unique(counts[finite]):
        some = finite & (counts == count)
        found[some] = np.linalg.eigvalsh(T[some, :count, :count])[:, -1]
    return found
