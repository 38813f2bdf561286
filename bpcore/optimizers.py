"""Optimizers: from a gradient to the increment ΔW of the parameter, with their state beside it.

The increment is returned rather than applied, so that ‖ΔW‖/‖W‖ can be measured for any of them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bpcore.arrays import Array


@dataclass(frozen=True)
class Optimizer:
    """Bundle an update rule with the number of state arrays that it keeps per parameter.

    Args:
        name: what tables and figures call it.
        slots: number of state arrays, each of the parameter's shape, zero at the start.
        increment: (g, state, lr, t) -> Δ, with lr shaped (R, 1, 1) and t = 1, 2, …; changes the list `state`.
        advance: (G, scale, state, lr, t) -> Δ for g = scale·G, all shaped (R, …) or (R, 1): the same without temporaries.
            It overwrites G and the arrays in `state`, and returns one of them; without it `increment` is used.
        proportional: whether Δ = −η g, so that ‖Δ‖ is known from ‖g‖.
    """

    name: str
    slots: int
    increment: Callable[[Array, list[Array], Array, int], Array]
    advance: Callable[[Array, Array, list[Array], Array, int], Array] | None = None
    proportional: bool = False

    def advance_by(self, g: Array, scale: Array, state: list[Array], lr: Array, t: int) -> Array:
        """Return Δ for the gradient scale·g, keeping `state` in its arrays; g is overwritten.

        Args:
            g: (R, k), the gradient up to a factor.
            scale: (R, 1), that factor.
            state: arrays of g's shape, updated in place.
            lr: η, (R, 1).
            t: 1, 2, ….
        """
        if self.advance is not None:
            return self.advance(g, scale, state, lr, t)
        g *= scale
        fresh = list(state)
        delta = self.increment(g, fresh, lr, t)
        for array, new in zip(state, fresh, strict=True):
            array[...] = new
        return delta

    def initial_state(self, parameter: Array) -> list[Array]:
        """Return the zero state of one parameter."""
        return [np.zeros_like(parameter) for _ in range(self.slots)]


def _fraction(name: str, value: float) -> float:
    if not 0 <= value < 1:
        raise ValueError(f"`{name}` must lie in [0, 1), got {value}")
    return float(value)


def sgd() -> Optimizer:
    """Return plain gradient descent: Δ = −η g."""

    def advance(g: Array, scale: Array, state: list[Array], lr: Array, t: int) -> Array:
        g *= -lr * scale
        return g

    return Optimizer("sgd", 0, lambda g, state, lr, t: -lr * g, advance, proportional=True)


def momentum(beta: float = 0.9) -> Optimizer:
    """Return Polyak's heavy ball: v ← βv − ηg, Δ = v.

    Args:
        beta: β in [0, 1).

    Raises:
        ValueError: β is out of range.

    Source: Polyak 1964, eq. 9.
    """
    beta = _fraction("beta", beta)

    def increment(g: Array, state: list[Array], lr: Array, t: int) -> Array:
        state[0] = beta * state[0] - lr * g
        return state[0]

    def advance(g: Array, scale: Array, state: list[Array], lr: Array, t: int) -> Array:
        (v,) = state
        v *= beta
        g *= lr * scale
        v -= g
        return v

    return Optimizer("momentum", 1, increment, advance)


def nesterov(beta: float = 0.9) -> Optimizer:
    """Return Nesterov's momentum in the variable at which the gradient is taken: v ← βv − ηg, Δ = βv − ηg.

    Args:
        beta: β in [0, 1).

    Raises:
        ValueError: β is out of range.

    Source: Sutskever et al. 2013 eq. 3–4; Bengio et al. 2013 eq. 7 for the change of variable.
    """
    beta = _fraction("beta", beta)

    def increment(g: Array, state: list[Array], lr: Array, t: int) -> Array:
        step = lr * g
        state[0] = beta * state[0] - step
        ahead: Array = beta * state[0] - step
        return ahead

    def advance(g: Array, scale: Array, state: list[Array], lr: Array, t: int) -> Array:
        (v,) = state
        g *= -lr * scale
        v *= beta
        v += g
        g += beta * v
        return g

    return Optimizer("nesterov", 1, increment, advance)


def adam(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> Optimizer:
    """Return Adam: Δ = −η m̂/(√v̂ + ε), m̂ = m/(1−β₁^t), v̂ = v/(1−β₂^t).

    Args:
        beta1: decay of the first moment, in [0, 1).
        beta2: decay of the second moment, in [0, 1).
        eps: ε > 0.

    Raises:
        ValueError: an argument is out of range.

    Source: Kingma & Ba 2015, algorithm 1.
    """
    beta1, beta2 = _fraction("beta1", beta1), _fraction("beta2", beta2)
    if not (np.isfinite(eps) and eps > 0):
        raise ValueError(f"`eps` must be a finite number > 0, got {eps}")

    def increment(g: Array, state: list[Array], lr: Array, t: int) -> Array:
        state[0] = beta1 * state[0] + (1 - beta1) * g
        state[1] = beta2 * state[1] + (1 - beta2) * (g * g)
        corrected = state[0] / (1 - beta1**t)
        delta: Array = -lr * corrected / (np.sqrt(state[1] / (1 - beta2**t)) + eps)
        return delta

    def advance(g: Array, scale: Array, state: list[Array], lr: Array, t: int) -> Array:
        m, v = state
        g *= scale
        square = g * g
        square *= 1 - beta2
        v *= beta2
        v += square
        g *= 1 - beta1
        m *= beta1
        m += g
        np.divide(v, 1 - beta2**t, out=square)
        np.sqrt(square, out=square)
        square += eps
        np.divide(m, square, out=g)
        g *= -lr / (1 - beta1**t)
        return g

    return Optimizer("adam", 2, increment, advance)
