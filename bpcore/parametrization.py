"""Parametrizations: how the start and the learning rates of the layers scale with width.

A net whose weights are W^l = c_l·ω^l, ω trained, is that of W^l trained with another learning rate: with Δω = −η ∂J/∂ω, ∂J/∂ω = c ∂J/∂W and
ΔW = cΔω, it is ηc² for rules that follow the gradient's size, and ηc for those that do not. So nothing is multiplied here in the forward
pass: a parametrization is a factor on the standard deviation of drawn weights, and one on η of each layer.
The equivalence is exact but for what sees the parameters themselves: clipping, λ, and ε beside √v, which are those of W.

Source: Yang & Hu 2021, §3 (abc-parametrizations); Yang et al. 2022, lemma J.1.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from bpcore.arrays import FloatArray
from bpcore.initializer import Initializer
from bpcore.layers import KINDS
from bpcore.ranges import at_least

WEIGHT, BIAS, GAMMA, BETA = (KINDS.index(kind) for kind in ("W", "b", "gamma", "beta"))


class Parametrization(ABC):
    """Say by what drawn weights and learning rates are multiplied, layer by layer."""

    name: ClassVar[str]
    """What conf calls it."""
    uniform: ClassVar[bool] = False
    """Whether all layers have one learning rate, so that the sharpness limits it."""

    def start(self, sizes: tuple[int, ...], layer: int) -> float:
        """Return by what the drawn W of a layer is multiplied."""
        return 1.0

    @abstractmethod
    def rates(self, sizes: tuple[int, ...], variances: Sequence[float], scale_free: bool) -> FloatArray:
        """Return by what η is multiplied, kind by kind and layer by layer.

        Args:
            sizes: (n_0, …, n_L).
            variances: Var(W^l) as the initializer declares it, l = 1…L.
            scale_free: whether the optimizer's steps do not follow the gradient's size.

        Returns:
            (5, L+1), kinds in the order of KINDS; layer 0 means nothing.
        """

    def of_runs(self, sizes: tuple[int, ...], initializers: Sequence[Initializer], scale_free: bool) -> FloatArray:
        """Return the factors of `rates` of the runs of a stack, (R, 5, L+1)."""
        pairs = list(pairwise(sizes))
        return np.stack([self.rates(sizes, [init.variance(*fans) for fans in pairs], scale_free) for init in initializers])


@dataclass(frozen=True)
class Standard(Parametrization):
    """W as it is drawn, one η for all layers."""

    name = "standard"
    uniform = True

    def rates(self, sizes: tuple[int, ...], variances: Sequence[float], scale_free: bool) -> FloatArray:
        """Return ones."""
        return np.ones((len(KINDS), len(sizes)))


@dataclass(frozen=True)
class NTK(Parametrization):
    """W^l = c_l·ω^l, c_l = √Var(W^l): σ_w/√n_(l−1) where that is what is drawn."""

    name = "ntk"

    def rates(self, sizes: tuple[int, ...], variances: Sequence[float], scale_free: bool) -> FloatArray:
        """Return c_l² of the weights, c_l where steps are free of the gradient's size; 1 of everything else."""
        factors = np.ones((len(KINDS), len(sizes)))
        factors[WEIGHT, 1:] = np.sqrt(variances) if scale_free else variances
        return factors


@dataclass(frozen=True)
class MuP(Parametrization):
    """The maximal update parametrization, the standard one at base width n_b.

    Args:
        base_width: n_b.
    """

    name = "mup"
    base_width: int

    def start(self, sizes: tuple[int, ...], layer: int) -> float:
        """Return √(n_b/n_(L−1)) of the output layer: its Var(W) falls by another factor of width."""
        return math.sqrt(self.base_width / sizes[-2]) if layer == len(sizes) - 1 > 1 else 1.0

    def rates(self, sizes: tuple[int, ...], variances: Sequence[float], scale_free: bool) -> FloatArray:
        """Return the published factors with n/n_b for n.

        Adam: 1 of W^1 and vectors, n_b/n_(l−1) of W^l and W^L. SGD: n_l/n_b of W^1 and the hidden layers' vectors, n_l/n_(l−1) of hidden
        W^l (1 where all have one width), n_b/n_(L−1) of W^L, 1 of b^L.
        """
        L, factors = len(sizes) - 1, np.ones((len(KINDS), len(sizes)))
        n = np.array(sizes) / self.base_width
        factors[WEIGHT, 2:] = 1 / n[1:-1]
        if not scale_free:
            for kind in (WEIGHT, BIAS, GAMMA, BETA):
                factors[kind, 1:L] *= n[1:L]
        return factors


def standard() -> Parametrization:
    """Return the parametrization of all frameworks: W as it is drawn, one η."""
    return Standard()


def ntk() -> Parametrization:
    """Return the NTK parametrization: W^l = σ_w/√n_(l−1)·ω^l, ω ~ N(0, 1) trained.

    The start is the standard one; η of W^l is multiplied by Var(W^l) = σ_w²/n_(l−1), by its root under rules whose steps do not follow the
    gradient's size. Biases, γ and β are trained as they are: bias_lr_factor=σ_b² is b = σ_b·β.

    Source: Jacot, Gabriel & Hongler 2018; Lee et al. 2019, eq. 1.
    """
    return NTK()


def mup(base_width: int = 64) -> Parametrization:
    """Return μP: updates that do not shrink or grow with width, so that the best η of one width is that of others.

    Var(W^L) is multiplied by n_b/n. η, under rules whose steps do not follow the gradient's size: hidden W and W^L by n_b/n. Under SGD and
    momentum: W^1, b, γ and β by n/n_b, W^L by n_b/n. At n = n_b it is the standard one. Widths that differ count each for itself.

    Args:
        base_width: n_b ≥ 1.

    Raises:
        ValueError: n_b is out of range.

    Source: Yang et al. 2022, table 3; microsoft/mup, optim.py, for widths that differ.
    """
    return MuP(at_least("base_width", base_width, 1))
