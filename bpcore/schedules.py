"""Schedules: by which factor the learning rate is multiplied at each step.

η_t = η·f(t), t = 0, 1, … the updates made before. A warm-up stands in front of any of them: f rises by 1/w at each of the first w
updates, the last of which is made at full rate, and the schedule then begins, at its own step 0.

Source: Goyal et al. 2017, §2.2, for the warm-up.
"""

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
        since = np.asarray(steps, dtype=np.float64) - self.warmup
        rising = (since + self.warmup + 1) / max(self.warmup, 1)
        return np.where(since < 0, rising, self.after(np.maximum(since, 0), max(total - self.warmup, 1)))

    @abstractmethod
    def after(self, steps: FloatArray, total: int) -> FloatArray:
        """Return the factor `steps` updates after the warm-up, of `total` that come after it."""


@dataclass(frozen=True)
class Constant(Schedule):
    """f = 1."""

    name = "constant"

    def after(self, steps: FloatArray, total: int) -> FloatArray:
        """Return 1."""
        return np.ones(steps.shape)


@dataclass(frozen=True)
class Step(Schedule):
    """f = γ^⌊t/k⌋."""

    name = "step"
    every: int
    gamma: float

    def after(self, steps: FloatArray, total: int) -> FloatArray:
        """Return γ^⌊t/k⌋."""
        return self.gamma ** (steps // self.every)


@dataclass(frozen=True)
class Exponential(Schedule):
    """f = γ^t."""

    name = "exponential"
    gamma: float

    def after(self, steps: FloatArray, total: int) -> FloatArray:
        """Return γ^t."""
        return self.gamma**steps


@dataclass(frozen=True)
class Cosine(Schedule):
    """f = e + (1 − e)(1 + cos(πt/N))/2."""

    name = "cosine"
    end: float

    def after(self, steps: FloatArray, total: int) -> FloatArray:
        """Return e + (1 − e)(1 + cos(πt/N))/2."""
        angle = np.pi * np.minimum(steps / total, 1.0)
        return self.end + (1 - self.end) * (0.5 * (1 + np.cos(angle)))


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
