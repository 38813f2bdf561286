"""The data of a stack, and the batch of each step."""

from dataclasses import dataclass

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.initializer import Initializer
from bpcore.streams import of_runs


@dataclass(frozen=True)
class Examples:
    """Hold the data of a stack.

    Args:
        x: (n_0, m), examples in columns.
        y: (n_L, m), targets; one-hot for classes.
        test_x: (n_0, m_test) or None.
        test_y: (n_L, m_test) or None.
    """

    x: FloatArray
    y: FloatArray
    test_x: FloatArray | None = None
    test_y: FloatArray | None = None


@dataclass(frozen=True)
class Batch:
    """Hold the batch of one step.

    Args:
        x: (R or 1, n_0, m), examples in columns.
        y: (R or 1, n_L, m), targets.
    """

    x: Array
    y: Array


class Batches:
    """Deal the batch of each step: all examples, or epochs in each run's own random order.

    Args:
        examples: the data.
        batch_size: examples a step, or None for all.
        seeds: one a run.
        dtype: float64 or float32.
    """

    def __init__(self, examples: Examples, batch_size: int | None, seeds: list[int], dtype: str) -> None:
        x, y = (np.asarray(part, dtype=dtype, order="C") for part in (examples.x, examples.y))  # no copy where none is needed
        self._m = x.shape[1]
        self.whole, self.size = batch_size is None, self._m if batch_size is None else batch_size
        self.seeds = seeds
        """The seed of each run."""
        self.x, self.y = x[None], y[None]
        self.rows, self.targets = np.ascontiguousarray(x.T), np.ascontiguousarray(y.T)
        """The examples and their targets in rows: gathering whole examples is faster than gathering columns."""
        self.labels = y.argmax(axis=0)
        """The index of each example's largest target."""
        self._epochs: dict[int, Array] = {}

    def __call__(self, steps: Array) -> Batch:
        """Return the batch of a step of each run, (R,) int; all examples are the same array for all runs."""
        if self.whole:
            return Batch(self.x, self.y)
        chosen = np.stack([self._orders(*self._place(int(step)))[run] for run, step in enumerate(steps)])
        x, y = (np.ascontiguousarray(part[chosen].mT) for part in (self.rows, self.targets))
        return Batch(x, y)

    def first_for(self, initializers: list[Initializer]) -> Array | None:
        """Return the inputs of the first batch of each run, (R or 1, n_0, m); None where no initializer looks at them."""
        return self(np.zeros(len(self.seeds), dtype=np.int64)).x if any(init.adapt for init in initializers) else None

    def order(self, first: int, last: int) -> Array:
        """Return the examples of the batches of the steps first ≤ step < last, (R, last − first, m)."""
        return np.stack([self._orders(*self._place(step)) for step in range(first, last)], axis=1)

    def _place(self, step: int) -> tuple[int, int]:
        per_epoch: int = self._m // self.size  # the ragged last batch is dropped
        return divmod(step, per_epoch)

    def _orders(self, epoch: int, position: int) -> Array:
        """Return the examples of the batch at a position of an epoch, (R, m)."""
        if epoch not in self._epochs:
            if len(self._epochs) > 1:  # the one before is asked for again where a run diverged
                self._epochs.pop(min(self._epochs))
            self._epochs[epoch] = np.stack([own.permutation(self._m) for own in of_runs(self.seeds, "batches", epoch)])
        return self._epochs[epoch][:, position * self.size : (position + 1) * self.size]
