"""Batch normalization before φ, with its exact backward pass."""

from dataclasses import dataclass

import numpy as np

from bpcore.arrays import Array


@dataclass(frozen=True)
class Normalization:
    """Choose how z is normalized before φ in the hidden layers.

    Args:
        name: none or batch.
        eps: ε added to the variance, > 0; unused by none.
        momentum: weight of the newest batch in the running statistics, in (0, 1]; unused by none.
    """

    name: str
    eps: float = 1e-5
    momentum: float = 0.1

    @property
    def active(self) -> bool:
        """Return whether hidden layers are normalized."""
        return self.name != "none"


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


def none() -> Normalization:
    """Return no normalization: φ acts on z itself."""
    return Normalization("none")


def batch(eps: float = 1e-5, momentum: float = 0.1) -> Normalization:
    """Return batch normalization with learned γ, β.

    Args:
        eps: ε > 0 added to the biased variance of the batch.
        momentum: weight of the newest batch in the running statistics, in (0, 1].

    Raises:
        ValueError: an argument is out of range.

    Source: Ioffe & Szegedy 2015, algorithm 1.
    """
    if not (np.isfinite(eps) and eps > 0):
        raise ValueError(f"`eps` must be a finite number > 0, got {eps}")
    if not 0 < momentum <= 1:
        raise ValueError(f"`momentum` must lie in (0, 1], got {momentum}")
    return Normalization("batch", float(eps), float(momentum))


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

    def update(self, statistics: dict[int, BatchStatistics]) -> None:
        """Take in the statistics of one batch, per normalized layer."""
        rho = self._momentum
        self._count += 1
        for layer, new in statistics.items():
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
