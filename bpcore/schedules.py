"""Schedules: by which factor the learning rate is multiplied at each step.

η_t = η·f(t), t = 0, 1, … the updates made before. A warm-up stands in front of any of them: f rises by 1/w at each of the first w
updates, the last of which is made at full rate, and the schedule then begins, at its own step 0.

Source: Goyal et al. 2017, §2.2, for the warm-up.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.ranges import at_least, positive


@dataclass(frozen=True)
class Schedule(ABC):
    """Say by which factor the learning rate is multiplied at each step.

    Args:
        warmup: w, updates over which the rate rises from η/w to η.
    """

    name: ClassVar[str]
    """What tables and figures call it."""
    warmup: int

    def factors(self, steps: Array, total: int) -> FloatArray:
        """Return η_t/η.

        Args:
            steps: t, of any shape.
            total: N, the updates of the whole run.

        Returns:
            The factors, of the shape of `steps`.
        """
        # One by one: the bits of an array's power or cosine may depend on where in the array an entry stands.
        found = [self.factor(step, total) for step in np.ravel(steps).tolist()]
        return np.array(found, dtype=np.float64).reshape(np.shape(steps))

    def factor(self, step: int, total: int) -> float:
        """Return η_t/η of one step."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        return self.after(step - self.warmup, max(total - self.warmup, 1))

    @abstractmethod
    def after(self, step: int, total: int) -> float:
        """Return the factor `step` updates after the warm-up, of `total` that come after it."""


@dataclass(frozen=True)
class Constant(Schedule):
    """f = 1."""

    name = "constant"

    def factors(self, steps: Array, total: int) -> FloatArray:
        """Return η_t/η; without a warm-up 1."""
        return super().factors(steps, total) if self.warmup else np.ones(np.shape(steps))

    def after(self, step: int, total: int) -> float:
        """Return 1."""
        return 1.0


@dataclass(frozen=True)
class Step(Schedule):
    """f = γ^⌊t/k⌋."""

    name = "step"
    every: int
    gamma: float

    def after(self, step: int, total: int) -> float:
        """Return γ^⌊t/k⌋."""
        return _power(self.gamma, step // self.every)


@dataclass(frozen=True)
class Exponential(Schedule):
    """f = γ^t."""

    name = "exponential"
    gamma: float

    def after(self, step: int, total: int) -> float:
        """Return γ^t."""
        return _power(self.gamma, step)


@dataclass(frozen=True)
class Cosine(Schedule):
    """f = e + (1 − e)(1 + cos(πt/N))/2."""

    name = "cosine"
    end: float

    def after(self, step: int, total: int) -> float:
        """Return e + (1 − e)(1 + cos(πt/N))/2."""
        return self.end + (1 - self.end) * (0.5 * (1 + math.cos(math.pi * min(step / total, 1.0))))


def _power(gamma: float, exponent: int) -> float:
    """Return γ^k, inf where it overflows."""
    try:
        return math.pow(gamma, exponent)
    except OverflowError:
        return math.inf


def constant(warmup: int = 0) -> Schedule:
    """Return a constant learning rate: η_t = η.

    Args:
        warmup: updates over which it rises to η, ≥ 0.

    Raises:
        ValueError: an argument is out of range.
    """
    return Constant(at_least("warmup", warmup, 0))


def step(every: int = 30, gamma: float = 0.1, warmup: int = 0) -> Schedule:
    """Return a rate that falls in steps: η_t = η γ^⌊t/k⌋.

    Args:
        every: k, updates between two falls, ≥ 1.
        gamma: γ > 0.
        warmup: updates over which it rises to η before that, ≥ 0.

    Raises:
        ValueError: an argument is out of range.

    Source: PyTorch's StepLR; He et al. 2016, §3.4, divide by 10 where the error plateaus.
    """
    return Step(at_least("warmup", warmup, 0), at_least("every", every, 1), positive("gamma", gamma))


def exponential(gamma: float = 0.99, warmup: int = 0) -> Schedule:
    """Return a rate that falls by the same factor at every step: η_t = η γ^t.

    Args:
        gamma: γ > 0.
        warmup: updates over which it rises to η before that, ≥ 0.

    Raises:
        ValueError: an argument is out of range.

    Source: PyTorch's ExponentialLR, by the update.
    """
    return Exponential(at_least("warmup", warmup, 0), positive("gamma", gamma))


def cosine(end: float = 0.0, warmup: int = 0) -> Schedule:
    """Return a rate that falls along half a cosine over the whole run: η_t = η(e + (1 − e)(1 + cos(πt/N))/2).

    N is the number of updates behind the warm-up.

    Args:
        end: e, what is left of η at the end, in [0, 1].
        warmup: updates over which it rises to η before that, ≥ 0.

    Raises:
        ValueError: an argument is out of range.

    Source: Loshchilov & Hutter 2017, eq. 5, without restarts.
    """
    if not 0 <= end <= 1:
        raise ValueError(f"`end` must lie in [0, 1], got {end}")
    return Cosine(at_least("warmup", warmup, 0), float(end))
