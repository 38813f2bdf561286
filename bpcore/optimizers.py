"""Optimizers: from a gradient to the increment ΔW of the parameter, with their state beside it.

The increment is returned rather than applied, so that ‖ΔW‖/‖W‖ can be measured for any of them.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bpcore.arrays import Array
from bpcore.ranges import fraction, positive


class Optimizer(ABC):
    """Say how an update follows from a gradient and from what is kept of the gradients before it."""

    name: ClassVar[str]
    """What tables and figures call it."""
    slots: ClassVar[int]
    """Number of state arrays that it keeps per parameter, each of the parameter's shape, zero at the start."""
    proportional: ClassVar[bool] = False
    """Whether Δ = −η g, so that ‖Δ‖ is known from ‖g‖."""
    scale_free: ClassVar[bool] = False
    """Whether Δ for c·g, c > 0, is that for g, but for ε: what parametrizations call Adam, where all else is SGD."""

    @abstractmethod
    def increment(self, g: Array, state: list[Array], lr: Array, t: int, w: Array) -> Array:
        """Return Δ.

        Args:
            g: gradient, (R, …).
            state: `slots` arrays of g's shape; the list is changed.
            lr: η of this update, (R, 1, 1).
            t: 1, 2, ….
            w: the parameter, of g's shape.
        """

    def initial_state(self, parameter: Array) -> list[Array]:
        """Return the zero state of one parameter."""
        return [np.zeros_like(parameter) for _ in range(self.slots)]


@dataclass(frozen=True)
class SGD(Optimizer):
    """Δ = −η g."""

    name = "sgd"
    slots = 0
    proportional = True

    def increment(self, g: Array, state: list[Array], lr: Array, t: int, w: Array) -> Array:
        """Return −η g."""
        return -lr * g


@dataclass(frozen=True)
class Momentum(Optimizer):
    """v ← βv − ηg, Δ = v."""

    name = "momentum"
    slots = 1
    beta: float

    def increment(self, g: Array, state: list[Array], lr: Array, t: int, w: Array) -> Array:
        """Return v."""
        state[0] = self.beta * state[0] - lr * g
        return state[0]


@dataclass(frozen=True)
class Nesterov(Optimizer):
    """v ← βv − ηg, Δ = βv − ηg."""

    name = "nesterov"
    slots = 1
    beta: float

    def increment(self, g: Array, state: list[Array], lr: Array, t: int, w: Array) -> Array:
        """Return βv − ηg."""
        step = lr * g
        state[0] = self.beta * state[0] - step
        ahead: Array = self.beta * state[0] - step
        return ahead


@dataclass(frozen=True)
class Adam(Optimizer):
    """m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², Δ = −η m̂/(√v̂ + ε)."""

    name = "adam"
    slots = 2
    scale_free = True
    beta1: float
    beta2: float
    eps: float

    def increment(self, g: Array, state: list[Array], lr: Array, t: int, w: Array) -> Array:
        """Return −η m̂/(√v̂ + ε), m̂ = m/(1−β₁^t), v̂ = v/(1−β₂^t)."""
        state[0] = self.beta1 * state[0] + (1 - self.beta1) * g
        state[1] = self.beta2 * state[1] + (1 - self.beta2) * (g * g)
        corrected = state[0] / (1 - self.beta1**t)
        delta: Array = -lr * corrected / (np.sqrt(state[1] / (1 - self.beta2**t)) + self.eps)
        return delta


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """v ← ρv + (1−ρ)g², Δ = −ηg/(√v + ε)."""

    name = "rmsprop"
    slots = 1
    scale_free = True
    rho: float
    eps: float

    def increment(self, g: Array, state: list[Array], lr: Array, t: int, w: Array) -> Array:
        """Return −ηg/(√v + ε)."""
        state[0] = self.rho * state[0] + (1 - self.rho) * (g * g)
        delta: Array = -lr * g / (np.sqrt(state[0]) + self.eps)
        return delta


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """h ← h + g², Δ = −ηg/(√h + ε)."""

    name = "adagrad"
    slots = 1
    scale_free = True
    eps: float

    def increment(self, g: Array, state: list[Array], lr: Array, t: int, w: Array) -> Array:
        """Return −ηg/(√h + ε)."""
        state[0] = state[0] + g * g
        delta: Array = -lr * g / (np.sqrt(state[0]) + self.eps)
        return delta


def sgd() -> Optimizer:
    """Return plain gradient descent: Δ = −η g."""
    return SGD()


def momentum(beta: float = 0.9) -> Optimizer:
    """Return Polyak's heavy ball: v ← βv − ηg, Δ = v.

    Args:
        beta: β in [0, 1).

    Raises:
        ValueError: β is out of range.

    Source: Polyak 1964, eq. 9.
    """
    return Momentum(fraction("beta", beta))


def nesterov(beta: float = 0.9) -> Optimizer:
    """Return Nesterov's momentum in the variable at which the gradient is taken: v ← βv − ηg, Δ = βv − ηg.

    Args:
        beta: β in [0, 1).

    Raises:
        ValueError: β is out of range.

    Source: Sutskever et al. 2013 eq. 3–4; Bengio et al. 2013 eq. 7 for the change of variable.
    """
    return Nesterov(fraction("beta", beta))


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
    beta1, beta2 = fraction("beta1", beta1), fraction("beta2", beta2)
    return Adam(beta1, beta2, positive("eps", eps))


def rmsprop(rho: float = 0.9, eps: float = 1e-7) -> Optimizer:
    """Return RMSprop: v ← ρv + (1−ρ)g², Δ = −ηg/(√v + ε).

    ε stands outside the root and v is not corrected for its start at 0, as in PyTorch; Keras has ε under the root.

    Args:
        rho: ρ in [0, 1).
        eps: ε > 0.

    Raises:
        ValueError: an argument is out of range.

    Source: Tieleman & Hinton 2012, lecture 6.5.
    """
    return RMSprop(fraction("rho", rho), positive("eps", eps))


def adagrad(eps: float = 1e-7) -> Optimizer:
    """Return AdaGrad: h ← h + g², Δ = −ηg/(√h + ε), h = 0 at the start.

    Args:
        eps: ε > 0.

    Raises:
        ValueError: ε is out of range.

    Source: Duchi et al. 2011, the diagonal form of figure 1.
    """
    return Adagrad(positive("eps", eps))
