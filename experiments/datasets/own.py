"""The public way to a data set of one's own: arrays with examples in rows go in, a `Dataset` comes out."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from bpcore.arrays import Array, FloatArray
from experiments.datasets.dataset import NAMELESS, Dataset, Names, assemble, one_hot

OUTPUTS = ("auto", "one", "one_hot")


def from_arrays(
    x: Any,
    y: Any,
    *,
    classes: Sequence[str] | None = None,
    test_x: Any = None,
    test_y: Any = None,
    outputs: str = "one_hot",
    standardize: bool = False,
    scale: float = 1.0,
    standardize_target: bool = False,
    features: Sequence[str] = (),
    targets: Sequence[str] = (),
    origin: str = "arrays",
    notes: Sequence[str] = (),
) -> Dataset:
    """Make a data set of arrays with examples in rows.

    Args:
        x: (m, n_0) training examples.
        y: (m,) or (m, n_L) numbers; with `classes`, (m,) index of each example's class, from 0.
        classes: their names in order, at least two; None for a regression.
        test_x: (m_test, n_0), or None.
        test_y: of the test examples, as `y`.
        outputs: one_hot: a row of y a class; one: a single row for two classes, 1 for the second; auto: one row for two
            classes, else one a class.
        standardize: whether features are brought to mean 0 and variance 1, by the training examples.
        scale: multiplies the features after that, finite and not 0.
        standardize_target: whether the targets of a regression are brought to mean 0 and variance 1, by the training examples.
        features: names of the features.
        targets: names of the targets.
        origin: where the examples came from, for provenance.
        notes: what was decided on the way, one sentence each.

    Returns:
        The data set; its checksum covers numbers and names.

    Raises:
        ValueError: shapes, numbers or options do not fit.
    """
    train_x = _examples("x", x)
    test = None if test_x is None else _examples("test_x", test_x)
    if test is not None and len(test) != len(train_x):
        raise ValueError(f"`test_x` must have the {len(train_x)} features of x, got {len(test)}")
    if (test_x is None) != (test_y is None):
        raise ValueError("`test_y` must be given with test_x, and not without it")
    if outputs not in OUTPUTS:
        raise ValueError(f"`outputs` must be {' or '.join(OUTPUTS)}, got {outputs!r}")
    names = None if classes is None else tuple(str(name) for name in classes)
    train_y = _targets("y", y, train_x.shape[1], names, outputs)
    held_out = None if test is None else _targets("test_y", test_y, test.shape[1], names, outputs)
    pair = None if test is None or held_out is None else (test, held_out)
    called = Names(tuple(features), tuple(targets), names or ())
    kinds = None if names is None else len(names)
    made = assemble(train_x, train_y, pair, standardize, kinds, origin, scale, standardize_target, called)
    if called != NAMELESS:
        made = replace(made, checksum=hashlib.sha256(json.dumps([made.checksum, asdict(called)]).encode()).hexdigest())
    return replace(made, notes=tuple(notes))


def _examples(name: str, values: Any) -> FloatArray:
    """Return examples in columns, contiguous."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"`{name}` must have shape (examples, features), at least one of each, got {array.shape}")
    if not np.isfinite(array).all():
        row, column = (int(place[0]) for place in np.nonzero(~np.isfinite(array)))
        raise ValueError(f"`{name}` must be finite, got {array[row, column]} in row {row}, column {column}")
    return np.ascontiguousarray(array.T)


def _targets(name: str, values: Any, m: int, classes: tuple[str, ...] | None, outputs: str) -> FloatArray:
    array: Array = np.asarray(values)
    if array.shape[:1] != (m,) or array.ndim > 2:
        raise ValueError(f"`{name}` must have one row for each of the {m} examples, got shape {array.shape}")
    if classes is None:
        if not np.issubdtype(array.dtype, np.number):
            raise ValueError(f"`{name}` must hold numbers, got {array.dtype}; labels are given as indices, with their names in `classes`")
        return _examples(name, array.reshape(m, -1))
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"`{name}` must hold the index of each example's class, shape ({m},), got {array.dtype} of shape {array.shape}")
    if len(classes) < 2 or len(set(classes)) < len(classes):
        raise ValueError(f"`classes` must be two or more different names, got {', '.join(classes) or 'none'}")
    if array.min() < 0 or array.max() >= len(classes):
        raise ValueError(f"`{name}` must hold indices from 0 to {len(classes) - 1}, got {array.min()} to {array.max()}")
    if outputs == "one" and len(classes) > 2:
        raise ValueError(f"`outputs` must be one_hot with {len(classes)} classes, got one, which is for two")
    if outputs != "one_hot" and len(classes) == 2:
        return np.ascontiguousarray(array[None], dtype=np.float64)
    return one_hot(array, len(classes))
