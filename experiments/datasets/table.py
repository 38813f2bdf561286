"""A table of one's own as a data set: `data=table data.path=FILE data.target=COLUMN`."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bpcore.arrays import Array, FloatArray
from experiments.datasets import encoding
from experiments.datasets.columns import Column, parse
from experiments.datasets.dataset import Dataset
from experiments.datasets.own import from_arrays
from experiments.datasets.reading import Table, listing, read
from experiments.errors import UserError

MISSING = ("error", "drop", "mean")
_MOST_CONSTANT = 3
"""Constant features that are told one by one."""


def table(
    path: str | None = None,
    target: str | list[str] | None = None,
    features: list[str] | None = None,
    task: str = "auto",
    outputs: str = "auto",
    missing: str = "error",
    test_fraction: float = 0.2,
    n_samples: int | None = None,
    seed: int | None = 0,
    standardize: bool = True,
    scale: float = 1.0,
    standardize_target: bool = False,
) -> Dataset:
    """Return the examples of a CSV, Parquet or NPZ file, shuffled and divided into training and test examples.

    Args:
        path: of the file; its ending says what it is.
        target: the column, or columns, to be learned; null for the y of an NPZ file.
        features: the columns to learn from; null for all others. Words become one-hot.
        task: classification, regression, or auto: see `encoding.target`.
        outputs: of two classes: one output, one_hot two; auto: one where the loss is sigmoid_cross_entropy. More classes
            have one output each.
        missing: what to do where a cell is empty: error, drop the row, or take the mean of the training examples.
        test_fraction: of the rows that are held out, in [0, 1).
        n_samples: training examples, ≥ 1; null for all that are not held out.
        seed: of shuffling and division; null for the rows as they stand, of which the last are held out.
        standardize: whether every feature is brought to mean 0 and variance 1, by the training examples.
        scale: multiplies the features after that.
        standardize_target: the same as `standardize` for the targets of a regression; the loss is then in these units.

    Raises:
        UserError: the file cannot be used; row and column are named.
        ValueError: an argument is out of range.
    """
    if path is None:
        raise ValueError("`path` must name a CSV, Parquet or NPZ file, as in data.path=flats.csv data.target=price")
    for name, value, known in (("task", task, encoding.TASKS), ("missing", missing, MISSING)):
        if value not in known:
            raise ValueError(f"`{name}` must be {' or '.join(known)}, got {value!r}")
    if not 0 <= test_fraction < 1:
        raise ValueError(f"`test_fraction` must be a number from 0 to below 1, got {test_fraction}")
    if n_samples is not None and n_samples < 1:
        raise ValueError(f"`n_samples` must be an integer ≥ 1 or null, got {n_samples}")
    if seed is not None and seed < 0:
        raise ValueError(f"`seed` must be an integer ≥ 0 or null, got {seed}")
    file = Path(path).expanduser()
    most = None if n_samples is None else math.ceil(n_samples / (1 - test_fraction))
    names = [target] if isinstance(target, str) else target
    source = read(file, names, features, most, seed or 0)
    with _naming(file):
        columns = {name: parse(name, cells, source.decimal_comma) for name, cells in source.columns.items()}
        _refuse_problems(source, list(columns.values()), missing)
        notes = [*source.notes, *(column.note for column in columns.values() if column.note)]
        x, x_names, decided = encoding.features([columns[name] for name in source.features])
        notes += decided
        kept = _whole(source, columns, x, missing, notes)
        goal = encoding.target([_at(columns[name], kept) for name in source.targets], task)
        notes.append(goal.note)
        x = x[kept]
    train, held_out = _divided(file, len(x), test_fraction, n_samples, seed)
    notes.insert(0, f"{file.name}: {len(train)} rows for training, {len(held_out)} for testing")
    if missing == "mean":
        x = _filled(file, x, train, x_names, notes)
    notes += _constant(x[train], x_names, standardize)
    if goal.classes is not None and (unseen := set(range(len(goal.classes))) - set(goal.values[train].tolist())):
        notes.append(f"no training example of {listing([goal.classes[code] for code in sorted(unseen)])}")
    if standardize_target and goal.classes is not None:
        raise ValueError("`standardize_target` must be false for classes; data.task=regression takes numbers as they are")
    if standardize_target:
        notes.append(f"targets are standardized: the loss is in units of their variance, {_variances(goal.values[train])}")
    return from_arrays(
        x[train],
        goal.values[train],
        classes=goal.classes,
        test_x=x[held_out] if len(held_out) else None,
        test_y=goal.values[held_out] if len(held_out) else None,
        outputs=outputs,
        standardize=standardize,
        scale=scale,
        standardize_target=standardize_target,
        features=x_names,
        targets=source.targets,
        origin=f"{file.name}: {listing(source.targets)} from {listing(source.features)}",
        notes=notes,
    )


@contextmanager
def _naming(file: Path) -> Iterator[None]:
    """Put the name of the file before what is wrong with its cells."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{file}: {error}") from error


def _refuse_problems(source: Table, columns: Sequence[Column], missing: str) -> None:
    """Name the first cell that cannot be used, and how many more there are."""
    found = [problem for column in columns for problem in column.problems]
    if missing == "mean" and (empty := [p for p in found if p.empty and p.column in source.targets]):
        first = min(empty, key=lambda problem: problem.row)
        raise UserError(
            f"{source.place(first.row)}, column {first.column!r} is empty, and a target is not to be made up; "
            "fill it in, or leave out such rows with data.missing=drop"
        )
    if missing != "error":
        found = [problem for problem in found if not problem.empty]
    if not found:
        return
    order = {column.name: place for place, column in enumerate(columns)}
    found.sort(key=lambda problem: (problem.row, order[problem.column]))
    first, *others = found
    fix = "fill it in, or leave out such rows with data.missing=drop, or fill features with data.missing=mean"
    if not first.empty:
        fix = "correct it, or leave the column out with data.features=[…]"
    more = ""
    if others:
        second = f"{source.place(others[0].row)}, column {others[0].column!r} {others[0].what}"
        more = f" (and {len(others)} more: {second}{', …' if len(others) > 1 else ''})"
    raise UserError(f"{source.place(first.row)}, column {first.column!r} {first.what}{more}; {fix}")


def _whole(source: Table, columns: dict[str, Column], x: FloatArray, missing: str, notes: list[str]) -> Array:
    """Return the rows that are used: all, but for missing=drop."""
    if missing != "drop":
        return np.arange(source.rows)
    gaps = np.isnan(x).any(axis=1)
    for name in source.targets:
        gaps |= columns[name].empty
    if gaps.all():
        raise UserError("every row has an empty cell, and data.missing=drop leaves none; take data.missing=mean or fewer columns")
    if gaps.any():
        notes.append(f"{int(gaps.sum())} rows with empty cells are left out")
    return np.flatnonzero(~gaps)


def _at(column: Column, rows: Array) -> Column:
    """Return a column at some rows, with the words that are left."""
    if column.numbers is not None:
        return Column(column.name, column.numbers[rows], None, (), ())
    assert column.codes is not None
    left, codes = np.unique(column.codes[rows], return_inverse=True)
    return Column(column.name, None, codes, tuple(column.levels[code] for code in left), ())


def _divided(file: Path, m: int, test_fraction: float, n_samples: int | None, seed: int | None) -> tuple[Array, Array]:
    """Return the training and the test examples; more of the former begin with the fewer."""
    order = np.arange(m) if seed is None else np.random.default_rng(seed).permutation(m)
    most = m - round(m * test_fraction)
    wanted = most if n_samples is None else n_samples
    if not 1 <= wanted <= most:
        raise UserError(
            f"`data.n_samples` must be at most {most}, what data.test_fraction={test_fraction:g} leaves of {m} rows of {file}, got {wanted}"
            if most
            else f"{file} has {m} rows, of which data.test_fraction={test_fraction:g} leaves none for training; lower it"
        )
    return order[:wanted], order[most:]


def _filled(file: Path, x: FloatArray, train: Array, names: list[str], notes: list[str]) -> FloatArray:
    """Fill gaps by the mean of the training examples."""
    gaps = np.isnan(x)
    if not gaps.any():
        return x
    known = ~gaps[train]
    if not known.any(axis=0).all():
        name = names[int(np.argmin(known.any(axis=0)))]
        raise UserError(f"{file}: column {name!r} is empty in every training example; leave it out with data.features=[…]")
    with np.errstate(over="ignore"):
        means = np.where(known, x[train], 0.0).sum(axis=0) / known.sum(axis=0)
    notes.append(f"{int(gaps.sum())} empty cells are filled with the mean of the training examples")
    return np.where(gaps, means, x)


def _constant(x: FloatArray, names: list[str], standardize: bool) -> list[str]:
    flat = (x == x[:1]).all(axis=0)
    effect = "becomes 0" if standardize else "tells no example from another"
    if (found := np.flatnonzero(flat)).size > _MOST_CONSTANT:
        return [f"{len(found)} of {len(names)} features are constant, as is {names[found[0]]!r}; each {effect}"]
    return [f"{names[place]!r} is constant ({x[0, place]:g}) and {effect}" for place in found]


def _variances(values: FloatArray) -> str:
    return listing([f"{variance:.4g}" for variance in values.var(axis=0)], 5)
