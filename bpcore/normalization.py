"""What a hidden layer is normalized by: nothing, or its batch, with the exact backward pass; `example_normalization` has the others."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from bpcore.arrays import Array
from bpcore.ranges import positive

Own = Mapping[str, Array]
"""What a normalized layer learns: gamma and beta -> (..., n, 1). Empty where nothing is learned."""

Kept = Any
"""What a forward pass keeps for the backward pass; None where nothing is kept."""


@dataclass(frozen=True)
class BatchStatistics:
    """Keep of a normalized layer what its backward pass needs.

    Args:
        z_hat: ẑ = (z − μ)/√(v+ε), shape (..., n, m).
        std: √(v+ε), shape (..., n, 1).
        mean: μ, shape (..., n, 1).
        variance: v, biased, shape (..., n, 1).
    """

    z_hat: Array
    std: Array
    mean: Array
    variance: Array


def normalize(z: Array, gamma: Array, beta: Array, eps: float) -> tuple[Array, BatchStatistics]:
    """Normalize over the batch.

    ẑ = (z − mean z)/√(var z + ε), h = γẑ + β, with the biased variance.

    Args:
        z: shape (..., n, m).
        gamma: γ, shape (..., n, 1).
        beta: β, shape (..., n, 1).
        eps: ε > 0.

    Returns:
        h of z's shape, and what `denormalize` needs.
    """
    mean = z.mean(axis=-1, keepdims=True)
    centered = z - mean
    variance = (centered * centered).mean(axis=-1, keepdims=True)
    std = np.sqrt(variance + eps)
    z_hat = centered / std
    return gamma * z_hat + beta, BatchStatistics(z_hat, std, mean, variance)


def denormalize(delta_h: Array, gamma: Array, statistics: BatchStatistics) -> tuple[Array, Array, Array]:
    """Carry the gradient from h back to z, γ and β.

    With g = m·∂J/∂h and means over the batch:
    m·∂J/∂z = γ/√(v+ε) · (g − mean(g) − ẑ·mean(g ⊙ ẑ)), ∂J/∂γ = mean(g ⊙ ẑ), ∂J/∂β = mean(g).

    Args:
        delta_h: g, shape (..., n, m).
        gamma: γ, shape (..., n, 1).
        statistics: of the forward pass.

    Returns:
        δ = m·∂J/∂z (..., n, m), ∂J/∂γ and ∂J/∂β (..., n, 1).

    Source: Ioffe & Szegedy 2015 §3, its chain rule collected into one line.
    """
    d_beta = delta_h.mean(axis=-1, keepdims=True)
    d_gamma = (delta_h * statistics.z_hat).mean(axis=-1, keepdims=True)
    delta = gamma / statistics.std * (delta_h - d_beta - statistics.z_hat * d_gamma)
    return delta, d_gamma, d_beta


def normalize_with(z: Array, gamma: Array, beta: Array, mean: Array, variance: Array, eps: float) -> Array:
    """Normalize with given statistics, for evaluation.

    Args:
        z: shape (..., n, m).
        gamma: γ, shape (..., n, 1).
        beta: β, shape (..., n, 1).
        mean: running mean, shape (..., n, 1).
        variance: running biased variance, shape (..., n, 1).
        eps: ε > 0.

    Returns:
        h of z's shape.
    """
    return gamma * ((z - mean) / np.sqrt(variance + eps)) + beta


class RunningStatistics:
    """Average batch statistics exponentially, corrected for the empty start.

    s_t = (1−ρ)s_(t−1) + ρ·batch, divided by 1 − (1−ρ)^t; after one batch the average *is* that batch, so that a run
    evaluated at initialization is evaluated with the statistics of its data and not with (0, 1).
    """

    def __init__(self, momentum: float) -> None:
        """Start empty, with ρ = momentum."""
        self._momentum = momentum
        self._count = 0
        self._sums: dict[int, tuple[Array, Array]] = {}

    def update(self, statistics: Mapping[int, BatchStatistics | None]) -> None:
        """Take in the statistics of one batch, per layer; None where a layer has none."""
        rho = self._momentum
        self._count += 1
        for layer, new in statistics.items():
            if new is None:
                continue
            mean, variance = self._sums.get(layer, (0.0 * new.mean, 0.0 * new.variance))
            self._sums[layer] = ((1 - rho) * mean + rho * new.mean, (1 - rho) * variance + rho * new.variance)

    def of(self, layer: int) -> tuple[Array, Array]:
        """Return (mean, biased variance) of a layer, each (..., n, 1)."""
        mean, variance = self._sums[layer]
        weight = 1 - (1 - self._momentum) ** self._count
        return mean / weight, variance / weight

    def of_runs(self, runs: slice) -> "RunningStatistics":
        """Return the statistics of some runs of the stack."""
        part = RunningStatistics(self._momentum)
        part._count = self._count
        part._sums = {layer: (mean[runs], variance[runs]) for layer, (mean, variance) in self._sums.items()}
        return part


PLACES = ("before", "after")
"""Where a normalization stands: h = n(z) before φ, or a = n(φ(z)) after it."""


def stands_after(place: str) -> bool:
    """Return whether a normalization stands after φ.

    Raises:
        ValueError: it is no place.
    """
    if place not in PLACES:
        raise ValueError(f"`place` must be before or after (φ), got {place}")
    return place == "after"


class Normalization(ABC):
    """Say what a layer is normalized by: h = n(z) before φ, or a = n(φ(z)) after it."""

    name: ClassVar[str]
    """What tables and figures call it."""
    active: ClassVar[bool] = True
    """Whether anything is normalized; a layer then learns γ and β."""
    after: bool = False
    """Whether it stands after φ."""
    needs_batch: ClassVar[bool] = False
    """Whether the h of an example depends on the other examples of its batch."""

    @property
    def centers(self) -> bool:
        """Return whether the mean of z over the batch is taken away, so that the mean of δ is 0 by construction."""
        return False

    def fits(self, n: int) -> bool:
        """Return whether a layer of n units can be normalized."""
        return n >= 1

    @abstractmethod
    def initial(self, bias: Array) -> dict[str, Array]:
        """Return what a layer learns, at the start, each of the shape of its bias."""

    @abstractmethod
    def forward(self, z: Array, own: Own) -> tuple[Array, Kept]:
        """Return h, (..., n, m), and what `backward` needs."""

    @abstractmethod
    def backward(self, error: Array, own: Own, kept: Kept) -> tuple[Array, dict[str, Array]]:
        """Return δ, the error at z, from m·∂J/∂h, and the gradients of what is learned."""

    @abstractmethod
    def backward_fixed(self, error: Array, own: Own, kept: Kept) -> Array:
        """Return the error at z where what is common to a batch is held fixed, so that each example stands for itself."""

    @abstractmethod
    def evaluate(self, z: Array, own: Own, running: "RunningStatistics", layer: int) -> Array:
        """Return h in evaluation mode, where no example depends on another."""

    def running(self) -> "RunningStatistics":
        """Return what gathers the statistics of the batches, still empty."""
        return RunningStatistics(1.0)


@dataclass(frozen=True)
class Unnormalized(Normalization):
    """Leave z as it is: h = z."""

    name = "none"
    active = False

    def initial(self, bias: Array) -> dict[str, Array]:
        """Return nothing: nothing is learned."""
        return {}

    def forward(self, z: Array, own: Own) -> tuple[Array, Kept]:
        """Return z itself."""
        return z, None

    def backward(self, error: Array, own: Own, kept: Kept) -> tuple[Array, dict[str, Array]]:
        """Return the error itself."""
        return error, {}

    def backward_fixed(self, error: Array, own: Own, kept: Kept) -> Array:
        """Return the error itself."""
        return error

    def evaluate(self, z: Array, own: Own, running: "RunningStatistics", layer: int) -> Array:
        """Return z itself."""
        return z


@dataclass(frozen=True)
class Batch(Normalization):
    """Normalize every unit over the batch: h = γẑ + β.

    Args:
        eps: ε > 0 added to the biased variance of the batch.
        momentum: weight of the newest batch in the running statistics, in (0, 1].
        after: whether it stands after φ.
    """

    name = "batch"
    needs_batch = True
    eps: float
    momentum: float
    after: bool = False

    @property
    def centers(self) -> bool:
        """Return whether it stands before φ."""
        return not self.after

    def initial(self, bias: Array) -> dict[str, Array]:
        """Return γ = 1, β = 0."""
        return {"gamma": np.ones_like(bias), "beta": np.zeros_like(bias)}

    def forward(self, z: Array, own: Own) -> tuple[Array, Kept]:
        """Return `normalize`."""
        return normalize(z, own["gamma"], own["beta"], self.eps)

    def backward(self, error: Array, own: Own, kept: Kept) -> tuple[Array, dict[str, Array]]:
        """Return `denormalize`."""
        delta, d_gamma, d_beta = denormalize(error, own["gamma"], kept)
        return delta, {"gamma": d_gamma, "beta": d_beta}

    def backward_fixed(self, error: Array, own: Own, kept: Kept) -> Array:
        """Return γ/√(v+ε) · m·∂J/∂h."""
        delta: Array = error * (own["gamma"] / kept.std).astype(error.dtype)
        return delta

    def evaluate(self, z: Array, own: Own, running: "RunningStatistics", layer: int) -> Array:
        """Return `normalize_with` the running statistics."""
        mean, variance = running.of(layer)
        return normalize_with(z, own["gamma"], own["beta"], mean, variance, self.eps)

    def running(self) -> "RunningStatistics":
        """Return statistics in which the newest batch weighs `momentum`."""
        return RunningStatistics(self.momentum)


def none() -> Normalization:
    """Return no normalization: φ acts on z itself."""
    return Unnormalized()


def batch(eps: float = 1e-5, momentum: float = 0.1, place: str = "before") -> Normalization:
    """Return batch normalization with learned γ, β.

    Args:
        eps: ε > 0 added to the biased variance of the batch.
        momentum: weight of the newest batch in the running statistics, in (0, 1].
        place: before φ, as published, or after.

    Raises:
        ValueError: an argument is out of range.

    Source: Ioffe & Szegedy 2015, algorithm 1.
    """
    if not 0 < momentum <= 1:
        raise ValueError(f"`momentum` must lie in (0, 1], got {momentum}")
    return Batch(positive("eps", eps), float(momentum), stands_after(place))
