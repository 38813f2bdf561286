"""Columns become what a net takes: features as rows of numbers, words one-hot, targets as numbers or classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bpcore.arrays import Array, FloatArray
from experiments.datasets.columns import Column
from experiments.datasets.reading import listing
from experiments.errors import UserError

MOST_LEVELS = 100
"""Words of a one-hot column. Each is a feature; what has more is a name, not a kind."""

MOST_CLASSES = 1000
_MOST_COUNTED = 20
"""Up to so many numbers 0, 1, 2, … or 1, 2, 3, … of a target are taken for the names of classes, where nothing is said."""

_OTHERWISE = "; data.task=regression takes them as numbers"

TASKS = ("auto", "classification", "regression")


@dataclass(frozen=True)
class Target:
    """Hold what is to be learned.

    Args:
        values: (m, k) numbers of a regression, or (m,) index of the class.
        classes: their names in order, or None for a regression.
        note: what was decided.
    """

    values: Array
    classes: tuple[str, ...] | None
    note: str


def features(columns: Sequence[Column]) -> tuple[FloatArray, list[str], list[str]]:
    """Return the features of all columns; each word becomes one of its own, 1 where the cell holds it.

    Args:
        columns: at least one, without problems but empty cells.

    Returns:
        (m, n_0), NaN where a cell is empty; the features' names; what was decided.

    Raises:
        UserError: a column has too many words.
    """
    rows: list[Array] = []
    names: list[str] = []
    notes: list[str] = []
    for column in columns:
        if column.numbers is not None:
            rows.append(column.numbers)
            names.append(column.name)
            continue
        assert column.codes is not None
        _check_levels(column)
        hot = (column.codes == np.arange(len(column.levels))[:, None]).astype(np.float64)
        hot[:, column.empty] = np.nan
        if column.levels == ("false", "true"):
            rows.append(hot[1])
            names.append(column.name)
            notes.append(f"{column.name!r} is 1 for true, 0 for false")
        else:
            rows.extend(hot)
            names += [f"{column.name}={level}" for level in column.levels]
            notes.append(f"{column.name!r} is one-hot: {listing(column.levels)}")
    return np.stack(rows, axis=1), names, notes


def _check_levels(column: Column) -> None:
    found, rows = len(column.levels), len(column.empty)
    if found > MOST_LEVELS or (rows >= 20 and found > 0.9 * rows):
        raise UserError(
            f"column {column.name!r} holds {found} different words in {rows} rows, such as {column.levels[0]!r}, "
            "and each would become a feature; leave it out with data.features=[…], or group its words"
        )


def target(columns: Sequence[Column], task: str) -> Target:
    """Return what is to be learned.

    With task=auto, words and booleans are classes; so are numbers of two values, and those that count 0, 1, 2, … or 1, 2, 3, …
    to 20 at most; and several columns of which exactly one is 1 and the others 0. All else is a regression.

    Args:
        columns: of the target, without empty cells.
        task: of TASKS.

    Returns:
        Numbers or classes.

    Raises:
        UserError: the task is not one for these columns, or there is a single class.
    """
    if words := [column for column in columns if column.numbers is None]:
        if task == "regression":
            raise UserError(f"`data.task` is regression, but the target {words[0].name!r} holds words, such as {words[0].levels[0]!r}")
        if len(columns) > 1:
            raise UserError(f"`data.target`: of several targets each must hold numbers, but {words[0].name!r} holds words; name one")
    if len(columns) > 1:
        return _several(columns, task)
    (column,) = columns
    if column.codes is not None:
        return _classes(column.name, column.codes, column.levels)
    assert column.numbers is not None
    values, codes = np.unique(column.numbers, return_inverse=True)
    if task == "classification" or (task == "auto" and _counts(values)):
        names = tuple(str(int(value)) if value.is_integer() else repr(float(value)) for value in values)
        return _classes(column.name, codes, names, _OTHERWISE if task == "auto" else "")
    return _numbers(columns)


def _counts(values: FloatArray) -> bool:
    """Tell whether sorted distinct numbers look like names of classes."""
    if len(values) == 2:
        return True
    return len(values) <= _MOST_COUNTED and values[0] in (0, 1) and bool((np.diff(values) == 1).all())


def _several(columns: Sequence[Column], task: str) -> Target:
    table = np.stack([column.numbers for column in columns if column.numbers is not None], axis=1)
    one_hot = bool(np.isin(table, (0, 1)).all() and (table.sum(axis=1) == 1).all())
    if task != "regression" and one_hot:
        names = tuple(column.name for column in columns)
        return _classes("+".join(names), table.argmax(axis=1), names, _OTHERWISE if task == "auto" else "")
    if task == "classification":
        raise UserError(
            "`data.target` must name one column of classes, or columns of which one is 1 and the others 0; "
            "several independent ones of 0 and 1 go with data.task=regression loss=sigmoid_cross_entropy"
        )
    return _numbers(columns)


def _numbers(columns: Sequence[Column]) -> Target:
    values = np.stack([column.numbers for column in columns if column.numbers is not None], axis=1)
    ends = zip(columns, values.min(axis=0), values.max(axis=0), strict=True)
    spans = [f"{column.name!r} from {low:.4g} to {high:.4g}" for column, low, high in ends]
    return Target(values, None, f"target {listing(spans)}, a regression")


def _classes(name: str, codes: Array, names: tuple[str, ...], alternative: str = "") -> Target:
    if len(names) < 2:
        raise UserError(f"the target {name!r} has one class only, {names[0]!r} in every row; nothing can be learned of it")
    if len(names) > MOST_CLASSES or (len(codes) >= 20 and len(names) > len(codes) / 2):
        raise UserError(
            f"the target {name!r} has {len(names)} different values in {len(codes)} rows, too many for classes; "
            "name another column, or take numbers as they are with data.task=regression"
        )
    return Target(codes, names, f"target {name!r} has {len(names)} classes: {listing(names)}{alternative}")
