"""What steps a stack of runs is given and gives back: rates, rows, and a look at a single step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.layers import KINDS, Layers
from bpcore.measure.per_layer import GLANCED
from bpcore.measure.quantities import QUANTITIES
from bpcore.network import Trace

CENSUS = (*GLANCED, "zero", "equal_units", "z_mean", "z_var", "a_mean", "a_var")
"""What is counted on the way; those of GLANCED now and then in any run."""

SATURATED, DEAD, ZERO, EQUAL, Z_MEAN, Z_VAR, A_MEAN, A_VAR = range(8)
"""Their places in `Rows.census`."""

EXHAUSTED = 1e-6
"""Of Lanczos iteration: β against its largest number so far, below which nothing but the error of a difference of gradients is left."""


def _constant(steps: Array) -> FloatArray:
    return np.ones(steps.shape)


class Rates(NamedTuple):
    """Hold what scales each run's update.

    Args:
        lr: η, (R,) float64.
        bias_lr: η of b and β, (R,) float64.
        weight_decay: λ, (R,) in the dtype of the runs.
        threshold: c of clipping, (R,) in the dtype of the runs.
        factors: steps -> by what the schedule multiplies η at each of them, of the same shape.
        by_layer: by what η is multiplied by kind and layer, (R, 5, L+1); None where all have one.
    """

    lr: FloatArray
    bias_lr: FloatArray
    weight_decay: Array
    threshold: Array
    factors: Callable[[Array], FloatArray] = _constant
    by_layer: FloatArray | None = None

    @classmethod
    def of(
        cls,
        each: list[tuple[float, float, float, float]],
        dtype: str,
        factors: Callable[[Array], FloatArray] = _constant,
        by_layer: FloatArray | None = None,
    ) -> "Rates":
        """Return the rates of runs.

        Args:
            each: η, the factor on it for b and β, λ and c of each run.
            dtype: of the runs.
            factors: of the schedule.
            by_layer: of the parametrization.
        """
        lr, bias_factor, weight_decay, threshold = np.array(each, dtype=np.float64).T
        return cls(lr.copy(), lr * bias_factor, weight_decay.astype(dtype), threshold.astype(dtype), factors, by_layer)

    def at(self, steps: Array) -> tuple[Array, Array]:
        """Return η and η of b and β at steps (R or 1, …), in the dtype of the runs."""
        factors = self.factors(steps)
        shape = (-1,) + (1,) * (steps.ndim - 1)
        both = (rate.reshape(shape) * factors for rate in (self.lr, self.bias_lr))
        lr, bias_lr = (np.ascontiguousarray(rate.astype(self.weight_decay.dtype)) for rate in both)
        return lr, bias_lr

    def of_layers(self, L: int) -> Array:
        """Return by what η is multiplied by kind and layer, (R, 5, L+1), in the dtype of the runs."""
        found = np.ones((len(self.lr), len(KINDS), L + 1)) if self.by_layer is None else self.by_layer
        return np.ascontiguousarray(found.astype(self.weight_decay.dtype))


class Rows(NamedTuple):
    """Hold what is measured, float64.

    Args:
        norms: (8, R, S, L+1).
        loss: (R, S), J.
        data_loss: (R, S), J without its λ term.
        accuracy: (R, S).
        before: (R, S), the norm of all gradients together.
        after: (R, S), the same after clipping.
        clipped: (R, S) bool.
        census: (2 or 8, R, S, L+1).
    """

    norms: Array
    loss: Array
    data_loss: Array
    accuracy: Array
    before: Array
    after: Array
    clipped: Array
    census: Array


@dataclass(frozen=True)
class Look:
    """Hold everything of one step, of all runs; what a run holds that was not looked at means nothing.

    Args:
        rows: of the one step, S = 1.
        trace: of the forward pass.
        delta: δ^l, l = 0…L.
        gradients: of J, λ term included, before clipping.
    """

    rows: Rows
    trace: Trace
    delta: dict[int, Array]
    gradients: Layers


def empty_rows(runs: int, steps: int, L: int, counted: int) -> Rows:
    """Return rows in which nothing stands yet."""
    shape = (runs, steps)
    loss, data_loss, accuracy, before, after = (np.full(shape, np.nan) for _ in range(5))
    norms, census = np.full((QUANTITIES, *shape, L + 1), np.nan), np.full((counted, *shape, L + 1), np.nan)
    return Rows(norms, loss, data_loss, accuracy, before, after, np.zeros(shape, dtype=bool), census)
