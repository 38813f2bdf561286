"""The data of a stack, and the batch of each step.

Activations carry a last row of ones below their n_l units, so that W^l a^(l−1) + b^l is one product; x is dealt that way.
"""

from dataclasses import dataclass

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.streams import stream


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
        x: (R or 1, n_0 + 1, m), examples in columns over a row of ones.
        y: (R or 1, n_L, m), targets.
        labels: (R or 1, m), the index of each example's largest target.
    """

    x: Array
    y: Array
    labels: Array


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
        self.size = self._m if batch_size is None else batch_size
        self._seeds = seeds
        self.x, self.y = x[None], y[None]
        columns = np.concatenate([x, np.ones((1, self._m), dtype=dtype)])
        labels = y.argmax(axis=0)
        self._all = Batch(columns[None], self.y, labels[None]) if batch_size is None else None
        if self._all is None:  # gathering whole examples is faster than gathering columns
            self._rows, self._targets, self._labels = columns.T.copy(), y.T.copy(), labels
            self._epoch = -1
            self._orders = np.empty((len(seeds), self._m), dtype=np.int64)
            self._x = np.empty((len(seeds), self.size, columns.shape[0]), dtype=dtype)
            self._y_rows = np.empty((len(seeds), self.size, y.shape[0]), dtype=dtype)
            self._y = np.empty((len(seeds), y.shape[0], self.size), dtype=dtype)

    def __call__(self, step: int) -> Batch:
        """Return the batch of a step, in buffers that the next call overwrites."""
        if self._all is not None:
            return self._all
        epoch, position = divmod(step, self._m // self.size)  # the ragged last batch is dropped
        if epoch != self._epoch:
            self._epoch = epoch
            for run, seed in enumerate(self._seeds):
                self._orders[run] = stream(seed, "batches", epoch).permutation(self._m)
        chosen = self._orders[:, position * self.size : (position + 1) * self.size]
        np.take(self._rows, chosen, axis=0, out=self._x, mode="clip")  # the other modes buffer `out`
        np.take(self._targets, chosen, axis=0, out=self._y_rows, mode="clip")
        np.copyto(self._y, self._y_rows.mT)
        return Batch(self._x.mT, self._y, self._labels[chosen])
