"""Whether two results folders hold the same numbers, to the bit; where not, by how many units in the last place."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bpcore.arrays import Array, FloatArray
from experiments.store.assembling import FileSource
from experiments.store.columns import RUN_RESULTS, TABLES
from experiments.store.parts import snapshot_name
from experiments.store.reading import read_table
from experiments.text.numbers import number

_COLUMNS = RUN_RESULTS | TABLES["layers"] | TABLES["steps"] | TABLES["histograms"]

SIGNED = frozenset(name for name, column in _COLUMNS.items() if column.compared == "largest")
"""Columns whose differences, as those of the arrays in snapshots, are counted in last places of the run's largest value."""

COUNTED = frozenset(name for name, column in _COLUMNS.items() if column.compared == "counted")
"""Columns that count entries, as histograms do: under another kernel, one at an edge may fall to either side."""


@dataclass(frozen=True)
class Pair:
    """Name a run in two folders.

    Args:
        ours: its identity in the first.
        theirs: its identity in the second: another one where the core's version differs.
        dtype: in whose units the differences are counted.
    """

    ours: str
    theirs: str
    dtype: str


@dataclass
class Difference:
    """Hold how a column of a table differs.

    Args:
        table: runs, layers, steps, histograms or snapshots.
        column: its name; `rows` where the tables have other rows.
        values: how many values differ.
        of: how many were compared.
        ulps: the largest difference in units in the last place; infinite between a number and none, NaN where a difference has no
            size: between words, numbers of rows, arrays of other shapes.
        run_id: the run with the largest difference.
    """

    table: str
    column: str
    values: int
    of: int
    ulps: float
    run_id: str

    def __str__(self) -> str:
        size = "" if math.isnan(self.ulps) else f", by at most {number(self.ulps, 6)} ULP"
        return f"{self.table}.{self.column}: {self.values} of {self.of} values differ{size} (run {self.run_id})"


def ulps(a: Array, b: Array) -> FloatArray:
    """Count the floats between two arrays, elementwise.

    Args:
        a: float64 or float32.
        b: of the same dtype and shape.

    Returns:
        0 where equal or both are NaN, else the number of steps from float to next float; infinite where one is NaN.
    """
    wide: Any = np.uint64 if a.dtype == np.float64 else np.uint32
    sign = wide(1 << (8 * a.dtype.itemsize - 1))

    def ordered(values: Array) -> Array:
        bits: Any = np.ascontiguousarray(values).view(wide)
        return np.asarray(np.where(bits & sign, sign - (bits & ~sign), bits + sign), dtype=np.uint64)

    left, right = ordered(a), ordered(b)
    steps = np.where(left > right, left - right, right - left).astype(np.float64)
    one, both = np.isnan(a) ^ np.isnan(b), np.isnan(a) & np.isnan(b)
    return np.where(both, 0.0, np.where(one, math.inf, steps))


def distances(a: Array, b: Array, dtype: str = "float64", signed: bool = False) -> FloatArray:
    """Count by how many last places two arrays differ, elementwise.

    Args:
        a: float64 or float32; what is compared with.
        b: of the same dtype and shape.
        dtype: float64 or float32, in whose last places is counted. A number beyond the range of float32 keeps its 24 digits there.
        signed: whether the numbers come out of sums that cancel: then in last places of the largest finite |a|.

    Returns:
        0 where equal or both are NaN; infinite where one is NaN, and among signed numbers where one is infinite. Never NaN.
    """
    left, right = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(all="ignore"):
        if signed:
            largest = np.abs(left[np.isfinite(left)]).max(initial=0.0)
            place = np.spacing(largest) if dtype == "float64" else max(np.spacing(largest) * _COARSER, float(_TINIEST))
            apart = np.abs(left / place - right / place)  # the quotients cannot overflow where the difference would
            return np.where(np.isfinite(left) & np.isfinite(right), apart, np.where(ulps(left, right) == 0, 0.0, math.inf))
        if dtype == "float64":
            return ulps(left, right)
        fit = _fits(left) & _fits(right)
        return np.where(fit, ulps(left.astype(np.float32), right.astype(np.float32)), ulps(left, right) / _COARSER)


_COARSER = 2.0**29
"""Steps of float64 in one step of float32, where both are normal."""

_TINIEST = np.finfo(np.float32).smallest_subnormal


def _fits(values: FloatArray) -> Array:
    """Return which values float32 can hold: rounded, a finite number stays finite, and one that is not 0 does not become 0."""
    rounded = values.astype(np.float32)
    return np.asarray((np.isfinite(rounded) == np.isfinite(values)) & ((rounded == 0) == (values == 0)))


class _Tally:
    """Gather differences by column."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Difference] = {}
        self._counted: dict[tuple[str, str], int] = {}

    def add(self, table: str, column: str, a: Array, b: Array, run_id: str, dtype: str = "float64") -> None:
        """Compare two arrays of equal shape."""
        key = (table, column)
        self._counted[key] = self._counted.get(key, 0) + a.size
        floats = a.dtype.kind == "f"
        unequal = _bits(a) != _bits(b) if floats else a != b
        if not unequal.any():
            return
        signed = table == "snapshots" or column in SIGNED
        size = float(distances(a, b, dtype, signed).max(initial=0.0)) if floats else math.nan
        self.note(table, column, int(unequal.sum()), size, run_id)

    def note(self, table: str, column: str, values: int, size: float, run_id: str) -> None:
        """Add a difference that is known."""
        old = self._found.get((table, column))
        if old is None:
            self._found[table, column] = Difference(table, column, values, 0, size, run_id)
            return
        old.values += values
        if _weight(size) > _weight(old.ulps):
            old.ulps, old.run_id = size, run_id

    def all(self) -> list[Difference]:
        """Return the differences, largest first."""
        for key, difference in self._found.items():
            difference.of = max(self._counted.get(key, 0), difference.values)
        return sorted(self._found.values(), key=lambda d: (*(-part for part in _weight(d.ulps)), d.table, d.column))


def _weight(size: float) -> tuple[bool, float]:
    """Return what differences are ordered by: what has no size outweighs every size."""
    return math.isnan(size), 0.0 if math.isnan(size) else size


def _bits(values: Array) -> Array:
    canonical = np.ascontiguousarray(np.where(np.isnan(values), np.array(math.nan, values.dtype), values))
    return canonical.view(np.uint64 if values.dtype == np.float64 else np.uint32)


def differences(ours: Path, theirs: Path, pairs: list[Pair]) -> list[Difference]:
    """Compare runs of two results folders: every table, every column, every snapshot.

    Args:
        ours: a results folder.
        theirs: another.
        pairs: the runs to compare.

    Returns:
        One entry for each column that differs, the largest difference first; none where all bits agree.

    Raises:
        UserError: a table is missing or damaged.
    """
    tally = _Tally()
    _compare_runs(ours, theirs, pairs, tally)
    for name in TABLES:
        for run_id, dtype, a, b in _rows(FileSource(ours, name), FileSource(theirs, name), pairs):
            if a.num_rows != b.num_rows:
                tally.note(name, "rows", abs(a.num_rows - b.num_rows), math.nan, run_id)
                continue
            for column in a.column_names:
                left, right = (table[column].to_numpy() for table in (a, b))
                tally.add(name, column, left, right, run_id, dtype)
    for pair in pairs:
        _compare_snapshots(ours / snapshot_name(pair.ours), theirs / snapshot_name(pair.theirs), pair.ours, tally)
    return tally.all()


def _rows(a: FileSource, b: FileSource, pairs: list[Pair]) -> Iterator[tuple[str, str, pa.Table, pa.Table]]:
    for pair in pairs:
        yield pair.ours, pair.dtype, a.rows(*a.runs.get(pair.ours, (0, 0))), b.rows(*b.runs.get(pair.theirs, (0, 0)))


def _compare_runs(ours: Path, theirs: Path, pairs: list[Pair], tally: _Tally) -> None:
    left, right = ({row["run_id"]: row for row in read_table(folder, "runs").to_dict("records")} for folder in (ours, theirs))
    for pair in pairs:
        for column in RUN_RESULTS:
            if column == "error":  # a traceback names lines of code
                continue
            a, b = (_one(side[run_id].get(column)) for side, run_id in ((left, pair.ours), (right, pair.theirs)))
            if a.dtype == b.dtype:
                tally.add("runs", column, a, b, pair.ours, pair.dtype)
            else:
                tally.note("runs", column, 1, math.nan, pair.ours)


def _one(value: Any) -> Array:
    if isinstance(value, str):
        return np.array([value], dtype=object)
    missing = value is None or not isinstance(value, (int, float, np.number))
    return np.array([math.nan if missing else float(value)])


def _compare_snapshots(ours: Path, theirs: Path, run_id: str, tally: _Tally) -> None:
    if not (ours.is_file() and theirs.is_file()):
        if ours.is_file() != theirs.is_file():
            tally.note("snapshots", "file", 1, math.nan, run_id)
        return
    with np.load(ours) as a, np.load(theirs) as b:
        for name in sorted({*a.files, *b.files} - {"config"}):
            if name not in a.files or name not in b.files or a[name].shape != b[name].shape or a[name].dtype != b[name].dtype:
                tally.note("snapshots", name, 1, math.nan, run_id)
            else:
                tally.add("snapshots", name, a[name], b[name], run_id, str(a[name].dtype))
