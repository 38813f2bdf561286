"""Units of examples: features and targets brought to mean 0 and variance 1 by the training examples, features multiplied."""

from collections.abc import Sequence

import numpy as np

from bpcore.arrays import FloatArray


def standardized(x: FloatArray, test: FloatArray | None, names: Sequence[str] = ()) -> tuple[FloatArray, FloatArray | None]:
    """Bring every row to mean 0 and variance 1 of the training examples: (x − mean)/std; a constant row becomes 0, not NaN.

    Args:
        x: (n, m), training examples in columns, finite.
        test: (n, m_test), or None.
        names: of the rows, for the error.

    Returns:
        Both, changed alike.

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
    return (x - mean) / std, None if test is None else (test - mean) / std


def scaled(x: FloatArray, test: FloatArray | None, scale: float) -> tuple[FloatArray, FloatArray | None]:
    """Multiply features by a number.

    Args:
        x: (n, m), training examples in columns.
        test: (n, m_test), or None.
        scale: finite and not 0.

    Returns:
        Both, changed alike; the arrays themselves for 1.

    Raises:
        ValueError: the number is 0 or not finite, or makes features infinite.
    """
    if not (np.isfinite(scale) and scale != 0):
        raise ValueError(f"`scale` must be a finite number other than 0, got {scale}")
    if scale == 1:
        return x, test
    with np.errstate(over="ignore"):
        x, test = x * scale, None if test is None else test * scale
    if not all(np.isfinite(part).all() for part in (x, test) if part is not None):
        raise ValueError(f"`scale` must leave the features finite, got {scale}")
    return x, test
