"""Variants of Adam: with a decay that its moments do not see, and with Nesterov's momentum."""

from dataclasses import dataclass

import numpy as np

from bpcore.arrays import Array
from bpcore.optimizers import Adam, Optimizer
from bpcore.ranges import fraction, nonnegative, positive


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam's Δ − ηλw: the decay does not pass through the moments."""

    name = "adamw"
    weight_decay: float

    def increment(self, g: Array, state: list[Array], lr: Array, t: int, w: Array) -> Array:
        """Return −η(m̂/(√v̂ + ε) + λw)."""
        return super().increment(g, state, lr, t, w) - lr * (self.weight_decay * w)


@dataclass(frozen=True)
class NAdam(Optimizer):
    """Adam's moments, and Nesterov's step with a momentum μ_t that rises to β₁."""

    name = "nadam"
    slots = 2
    scale_free = True
    beta1: float
    beta2: float
    eps: float
    momentum_decay: float

    def momentum(self, t: int) -> float:
        """Return μ_t = β₁(1 − ½·0.96^(tψ))."""
        return float(self.beta1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay)))

    def product(self, t: int) -> float:
        """Return μ_1⋯μ_t, no further than 1 − μ_1⋯μ_t can tell."""
        product = 1.0
        for s in range(1, t + 1):
            product *= self.momentum(s)
            if product < _NOTHING:
                break
        return product

    def increment(self, g: Array, state: list[Array], lr: Array, t: int, w: Array) -> Array:
        """Return −η((1−μ_t)g/(1−Πμ) + μ_(t+1)m/(1−μ_(t+1)Πμ))/(√v̂ + ε), Πμ = μ_1⋯μ_t, v̂ = v/(1−β₂^t)."""
        state[0] = self.beta1 * state[0] + (1 - self.beta1) * g
        state[1] = self.beta2 * state[1] + (1 - self.beta2) * (g * g)
        now, ahead, product = self.momentum(t), self.momentum(t + 1), self.product(t)
        mean = (1 - now) / (1 - product) * g + ahead / (1 - product * ahead) * state[0]
        delta: Array = -lr * mean / (np.sqrt(state[1] / (1 - self.beta2**t)) + self.eps)
        return delta


_NOTHING = 1e-20
"""What does not change 1 when it is taken from it."""


def adamw(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, weight_decay: float = 0.01) -> Optimizer:
    """Return Adam with decoupled decay: Δ = −η(m̂/(√v̂ + ε) + λw).

    All parameters decay, biases too, as in PyTorch. The λ of J, the key `weight_decay` of a run, is another one: it goes into the gradient.

    Args:
        beta1: decay of the first moment, in [0, 1).
        beta2: decay of the second moment, in [0, 1).
        eps: ε > 0.
        weight_decay: λ ≥ 0.

    Raises:
        ValueError: an argument is out of range.

    Source: Loshchilov & Hutter 2019, algorithm 2, with η in front of λ as in PyTorch.
    """
    beta1, beta2, eps = fraction("beta1", beta1), fraction("beta2", beta2), positive("eps", eps)
    return AdamW(beta1, beta2, eps, nonnegative("weight_decay", weight_decay))


def nadam(beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, momentum_decay: float = 0.004) -> Optimizer:
    """Return Adam with Nesterov's momentum.

    Δ = −η((1−μ_t)g/(1−Πμ) + μ_(t+1)m/(1−μ_(t+1)Πμ))/(√v̂ + ε), μ_t = β₁(1 − ½·0.96^(tψ)), Πμ = μ_1⋯μ_t.

    Args:
        beta1: decay of the first moment, in [0, 1).
        beta2: decay of the second moment, in [0, 1).
        eps: ε > 0.
        momentum_decay: ψ ≥ 0.

    Raises:
        ValueError: an argument is out of range.

    Source: Dozat 2016, algorithm 2, in PyTorch's form.
    """
    beta1, beta2, eps = fraction("beta1", beta1), fraction("beta2", beta2), positive("eps", eps)
    return NAdam(beta1, beta2, eps, nonnegative("momentum_decay", momentum_decay))
