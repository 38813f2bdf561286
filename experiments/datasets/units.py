"""Units of examples: features and targets brought to mean 0 and variance 1 by the training examples, features multiplied."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bpcore.arrays import Array, FloatArray


@dataclass(frozen=True)
class Units:
    """Hold an affine change of rows, x ↦ (x − mean)/std.

    Args:
        mean: (n, 1).
        std: (n, 1), 1 where a row is constant.
        constant: (n,) bool, the rows that are constant.
    """

    mean: FloatArray
    std: FloatArray
    constant: Array

    def apply(self, x: FloatArray) -> FloatArray:
        """Return (x − mean)/std, the shape of x."""
        return (x - self.mean) / self.std


def units_of(x: FloatArray, names: Sequence[str] = ()) -> Units:
    """Return what brings every row to mean 0 and variance 1; a constant row becomes 0, not NaN.

    Args:
        x: (n, m), examples in columns, finite.
        names: of the rows, for the error.

    Returns:
        The change.

    Raises:
        ValueError: a row is so large that its variance is not finite.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = x.mean(axis=1, keepdims=True), x.std(axis=1, keepdims=True)
    constant = (x == x[:, :1]).all(axis=1)
    mean[constant] = x[constant, :1]  # the mean of equal numbers may differ from them in the last place
    std[constant] = 1.0
    std[std == 0] = 1.0  # rows that differ by less than can be squared
    if not (np.isfinite(mean).all() and np.isfinite(std).all()):
        row = int(np.flatnonzero(~(np.isfinite(mean) & np.isfinite(std))[:, 0])[0])
        name = names[row] if names else str(row)
        raise ValueError(f"{name!r} is too large to be standardized, since its variance is not finite; divide it beforehand")
    return Units(mean, std, constant)
