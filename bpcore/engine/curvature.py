"""The sharpness of many starts at once, by compiled gradients: a product with the Hessian is the difference of two of them.

Hv = [∇J(θ + hv) − ∇J(θ)]/h + O(h), ‖v‖ = 1, h = √ε·‖θ‖. Rounding of ∇J leaves ε‖∇J‖/h of error, curvature's own change h‖∇³J‖/2; both are
about √ε of what they stand beside, some 1e-8, where J changes over lengths of the order of θ. A kink is crossed with a chance of h alone.

Lanczos iteration, every run by itself, from its gradient: that lies mostly where curvature is largest. A tenth of noise is added, since a
gradient may keep to a subspace that the Hessian maps to itself (equal units). It ends where the residual of the largest Ritz value is below
RESIDUAL of it; the value itself is nearer, by that squared over the gap to the next, and never above λ_max.

Source: Pearlmutter 1994 on the difference; Parlett 1998, §4.5 and ch. 13 on Ritz values; Gur-Ari et al. 2018 on where the gradient lies.
"""

from collections.abc import Callable

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.clipping import none
from bpcore.engine.batches import Batches, Examples
from bpcore.engine.layout import layout_of
from bpcore.engine.rows import Rates
from bpcore.engine.stepper import stepper_of
from bpcore.layers import Layers
from bpcore.mlp import Network
from bpcore.optimizers import sgd

MOST_PRODUCTS = 8
"""Nets of four to twenty layers took 3 to 7 until the residual was small; a chain of clusters is told from below then."""

RESIDUAL = 0.05
"""Relative to the Ritz value. A bound on a learning rate is wanted to some per cent: nothing is known of it more closely."""

NOISE = 0.1


class _Chosen(Batches):
    """Deal the same examples at every step.

    Args:
        examples: the data.
        chosen: (R, m) int, each run's own.
    """

    def __init__(self, examples: Examples, chosen: Array) -> None:
        used, places = np.unique(chosen, return_inverse=True)
        super().__init__(Examples(examples.x[:, used], examples.y[:, used]), chosen.shape[1], [], "float64")
        self._chosen = places.reshape(chosen.shape)

    def _orders(self, epoch: int, position: int) -> Array:
        return self._chosen


def sharpness_of_stack(network: Network, params: Layers, examples: Examples, chosen: Array, weight_decay: Array) -> FloatArray:
    """Return the largest eigenvalue of the Hessian of J of each run.

    Args:
        network: the architecture.
        params: θ of the stack; computed in float64.
        examples: the data.
        chosen: (R, m) int, which of the examples J of each run is over.
        weight_decay: λ of each run, (R,).

    Returns:
        (R,) λ_max; NaN where θ, a gradient or a product is not finite.
    """
    params = params.map(lambda _, array: array.astype(np.float64))
    zero = np.zeros(len(chosen))
    rates = Rates(zero, zero, weight_decay.astype(np.float64), np.full(len(chosen), np.inf))
    stepper = stepper_of(network, params, sgd(), none(), rates, _Chosen(examples, chosen), "float64")
    with np.errstate(all="ignore"):
        return _lanczos(stepper.gradients, layout_of(network).pack(params))


def _lanczos(gradients: Callable[[Array, Array], Array], theta: Array) -> FloatArray:
    found, root = np.full(len(theta), np.nan), np.sqrt(np.finfo(np.float64).eps)
    live = np.flatnonzero(np.isfinite(theta).all(axis=1))
    theta, size = theta[live], theta.shape[1]
    h = root * _lengths(theta)
    h[h == 0] = root
    base = gradients(theta, live) if live.size else theta
    noise = np.random.Generator(np.random.PCG64(0)).standard_normal((1, size))
    v, before, beta = _unit(_unit(base) + NOISE * _unit(noise)), np.zeros_like(theta), np.zeros_like(h)
    T = np.zeros((len(live), MOST_PRODUCTS + 1, MOST_PRODUCTS + 1))
    for k in range(min(MOST_PRODUCTS, size)):  # T, image and beta are h times what the equations say, which spares a pass
        if not live.size:
            break
        spare = v * h
        spare += theta
        image = gradients(spare, live)
        image -= base
        before *= beta
        image -= before
        alpha = np.vecdot(v, image)[:, None]
        image -= np.multiply(v, alpha, out=spare)
        beta = _lengths(image)
        T[:, k, k], T[:, k, k + 1], T[:, k + 1, k] = alpha[:, 0], beta[:, 0], beta[:, 0]
        finite = np.isfinite(beta[:, 0])
        found[live[~finite]] = np.nan
        values, vectors = np.linalg.eigh(np.where(finite[:, None, None], T[:, : k + 1, : k + 1], 0.0))
        largest, residual = values[:, -1], beta[:, 0] * np.abs(vectors[:, -1, -1])
        found[live[finite]] = (largest / h[:, 0])[finite]
        going = finite & (residual > RESIDUAL * np.abs(largest))
        before, v = v, np.divide(image, beta, out=before, where=beta > 0)
        if not going.all():
            live, theta, h, base, v, before, beta, T = (part[going] for part in (live, theta, h, base, v, before, beta, T))
    return found


def _lengths(rows: FloatArray) -> FloatArray:
    """Return the length of each row, (R, 1)."""
    lengths: FloatArray = np.sqrt(np.vecdot(rows, rows))[:, None]
    return lengths


def _unit(rows: FloatArray) -> FloatArray:
    """Return rows of length 1; one of 0 stays."""
    length = _lengths(rows)
    return rows / np.where(length > 0, length, 1.0)
