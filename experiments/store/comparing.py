"""Whether two results folders hold the same numbers, to the bit; where not, by how many units in the last place."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bpcore.arrays import Array
from experiments.store.assembling import FileSource
from experiments.store.columns import RUN_RESULTS, TABLES
from experiments.store.distances import distances
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


def differences(ours: Path, theirs: Path, pairs: list[Pair], version: int | None = None) -> list[Difference]:
    """Compare runs of two results folders: every table, every column, every snapshot.

    What a version did not record, or not in these rows, is compared where it has a value, and no column that `ours` does not have at all.

    Args:
        ours: a results folder.
        theirs: another.
        pairs: the runs to compare.
        version: of the arithmetic that made `ours`, where it is an older one.

    Returns:
        One entry for each column that differs, the largest difference first; none where all bits agree.

    Raises:
        UserError: a table is missing or damaged.
    """
    tally = _Tally()
    _compare_runs(ours, theirs, pairs, version, tally)
    for name, columns in TABLES.items():
        source, other = FileSource(ours, name), FileSource(theirs, name)
        for run_id, dtype, a, b in _rows(source, other, pairs):
            if a.num_rows != b.num_rows:
                tally.note(name, "rows", abs(a.num_rows - b.num_rows), math.nan, run_id)
                continue
            for column in (known for known in a.column_names if known not in (*source.lacking, *other.lacking)):
                left, right = (table[column].to_numpy() for table in (a, b))
                if version is not None and columns[column].since > version:
                    left, right = left[~np.isnan(left)], right[~np.isnan(left)]
                tally.add(name, column, left, right, run_id, dtype)
    for pair in pairs:
        _compare_snapshots(ours / snapshot_name(pair.ours), theirs / snapshot_name(pair.theirs), pair.ours, tally)
    return tally.all()


def _rows(a: FileSource, b: FileSource, pairs: list[Pair]) -> Iterator[tuple[str, str, pa.Table, pa.Table]]:
    for pair in pairs:
        yield pair.ours, pair.dtype, a.rows(*a.runs.get(pair.ours, (0, 0))), b.rows(*b.runs.get(pair.theirs, (0, 0)))


def _compare_runs(ours: Path, theirs: Path, pairs: list[Pair], version: int | None, tally: _Tally) -> None:
    left, right = ({row["run_id"]: row for row in read_table(folder, "runs").to_dict("records")} for folder in (ours, theirs))
    for pair in pairs:
        for column, declared in RUN_RESULTS.items():
            if column == "error" or (version is not None and declared.since > version):  # a traceback names lines of code
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
