"""Optimizers in place: the increment for a gradient known up to a factor, written over what is no longer needed.

A class of optimizers that has no twin here makes its increment as the textbook says, and its state is copied.
"""

import functools

import numpy as np

from bpcore.arrays import Array
from bpcore.optimizers import SGD, Adam, Momentum, Nesterov, Optimizer


@functools.singledispatch
def advance(optimizer: Optimizer, g: Array, scale: Array, state: list[Array], lr: Array, t: int) -> Array:
    """Return Δ for the gradient scale·g, keeping `state` in its arrays; g is overwritten.

    Args:
        optimizer: the update rule.
        g: (R, k), the gradient up to a factor.
        scale: (R, 1), that factor.
        state: arrays of g's shape, updated in place; one of them may be returned.
        lr: η, (R, 1).
        t: 1, 2, ….
    """
    g *= scale
    fresh = list(state)
    delta = optimizer.increment(g, fresh, lr, t)
    for array, new in zip(state, fresh, strict=True):
        array[...] = new
    return delta


@advance.register
def _(optimizer: SGD, g: Array, scale: Array, state: list[Array], lr: Array, t: int) -> Array:
    g *= -lr * scale
    return g


@advance.register
def _(optimizer: Momentum, g: Array, scale: Array, state: list[Array], lr: Array, t: int) -> Array:
    (v,) = state
    v *= optimizer.beta
    g *= lr * scale
    v -= g
    return v


@advance.register
def _(optimizer: Nesterov, g: Array, scale: Array, state: list[Array], lr: Array, t: int) -> Array:
    (v,) = state
    g *= -lr * scale
    v *= optimizer.beta
    v += g
    g += optimizer.beta * v
    return g


@advance.register
def _(optimizer: Adam, g: Array, scale: Array, state: list[Array], lr: Array, t: int) -> Array:
    m, v = state
    g *= scale
    square = g * g
    square *= 1 - optimizer.beta2
    v *= optimizer.beta2
    v += square
    g *= 1 - optimizer.beta1
    m *= optimizer.beta1
    m += g
    np.divide(v, 1 - optimizer.beta2**t, out=square)
    np.sqrt(square, out=square)
    square += optimizer.eps
    np.divide(m, square, out=g)
    g *= -lr / (1 - optimizer.beta1**t)
    return g
