"""A file of one's own: from its path to the columns that are wanted, if it is not too large for this machine."""

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from experiments.datasets.formats.delimited import Delimited
from experiments.datasets.formats.npz import Npz
from experiments.datasets.formats.parquet import Parquet
from experiments.datasets.formats.source import Columns, Place, Source
from experiments.errors import UserError
from experiments.text.quoting import shortened

MOST_ROWS = 1_000_000
MOST_BYTES = 10**9
"""What is read whole. Every worker holds the data, and without batch_size every step takes all examples."""

_BYTES_PER_CELL = 120
"""Text and number of a cell, and the copies in which it is standardized and divided; measured at 80 to 115."""

_FORMATS: dict[str, type[Delimited | Parquet | Npz]] = {
    ".csv": Delimited,
    ".tsv": Delimited,
    ".txt": Delimited,
    ".parquet": Parquet,
    ".pq": Parquet,
    ".npz": Npz,
}


@dataclass(frozen=True)
class Table:
    """Hold the columns of a file.

    Args:
        columns: name -> Arrow array, the targets first.
        targets: names of the target columns.
        features: names of the others.
        decimal_comma: whether 1,5 may be a number in its cells.
        place: names a row for messages.
        rows: number of rows.
        notes: what was decided in reading, one sentence each.
    """

    columns: Columns
    targets: list[str]
    features: list[str]
    decimal_comma: bool
    place: Place
    rows: int
    notes: list[str]


def read(path: Path, target: Sequence[str] | None, features: Sequence[str] | None, most: int | None, seed: int) -> Table:
    """Read the columns that are wanted.

    Args:
        path: of a CSV, Parquet or NPZ file.
        target: names of the target columns; None for the y of an NPZ file.
        features: names of the feature columns; None for all others.
        most: rows that are drawn where the file is too large to be read whole; None refuses such a file.
        seed: of the drawing.

    Returns:
        The columns, as they stand in the file.

    Raises:
        UserError: the file is missing, of another format, damaged, too large or empty, or a column is not there.
    """
    source = _open(path)
    targets, used = _chosen(source, path, target, features)
    notes = list(source.notes)
    if features is None and (nameless := [place for place, name in enumerate(source.names, 1) if not name]):
        notes.append(f"column {listing(nameless)} has no name (an index?) and is left out")
    place, cells = Place(source), len(used) + len(targets)
    reason = _too_large(source, path.stat().st_size, cells)
    if reason is not None:
        if most is None:
            raise UserError(f"{path} {reason}; say how many examples to draw from it, as in data.n_samples=10000")
        if most >= MOST_ROWS or _bytes(most, cells) > _room():
            raise UserError(f"{path} {reason}, and data.n_samples asks for too many of its rows; lower it")
        rows = source.exact_rows()
        place.chosen = np.sort(np.random.default_rng(seed).choice(rows, min(most, rows), replace=False))
        notes.append(f"the file {reason}: {len(place.chosen)} of its rows are drawn with data.seed")
    columns = source.read([*targets, *used], place.chosen)
    return Table(columns, targets, used, source.decimal_comma, place, len(columns[targets[0]]), notes)


def _open(path: Path) -> Delimited | Parquet | Npz:
    if path.is_dir():
        raise UserError(f"`data.path` must be a file, got the folder {path}")
    if not path.is_file():
        near = difflib.get_close_matches(path.name, [other.name for other in _siblings(path)], n=1)
        hint = f"did you mean {path.with_name(near[0])}?" if near else f"paths count from {Path.cwd()}"
        raise UserError(f"`data.path`: there is no file {path}; {hint}")
    kind = _FORMATS.get(path.suffix.lower())
    if kind is None:
        known = "save the sheet as CSV" if path.suffix.lower() in (".xls", ".xlsx", ".ods") else f"expected {', '.join(_FORMATS)}"
        raise UserError(f"`data.path`: {path} is of an unknown format, {path.suffix or 'without an ending'}; {known}")
    return kind(path)


def _siblings(path: Path) -> Iterable[Path]:
    return path.parent.iterdir() if path.parent.is_dir() else ()


def _chosen(
    source: Delimited | Parquet | Npz, path: Path, target: Sequence[str] | None, features: Sequence[str] | None
) -> tuple[list[str], list[str]]:
    """Return the names of target and feature columns."""
    names = [name for name in source.names if name]
    if twice := [name for name, number in Counter(names).items() if number > 1]:
        raise UserError(f"{path} has several columns named {twice[0]!r}; give each a name of its own")
    if target is None and isinstance(source, Npz):
        target = source.targets
    if not target:
        raise UserError(f"`data.target` must name a column of {path}: {listing(names)}")
    for key, asked in (("data.target", target), ("data.features", features or ())):
        for name in asked:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                hint = f"did you mean {near[0]!r}? " if near else ""
                raise UserError(f"`{key}`: {path} has no column {name!r}; {hint}its columns: {listing(names)}")
        if twice := [name for name, number in Counter(asked).items() if number > 1]:
            raise UserError(f"`{key}` must name each column once, got {twice[0]!r} twice")
    if features is not None and (both := [name for name in features if name in target]):
        raise UserError(f"`data.features` must not hold the target {both[0]!r}; a net would only have to copy it")
    used = list(features) if features is not None else [name for name in names if name not in target]
    if isinstance(source, Npz) and features is None:
        used = [name for name in used if name not in source.targets]
    if not used:
        raise UserError(f"{path} has no column beside the target; a net needs at least one feature")
    return list(target), used


def _too_large(source: Source, size: int, columns: int) -> str | None:
    """Return what speaks against reading a file whole, or None."""
    if size >= MOST_BYTES:
        return f"has {size / 1e9:.3g} GB"
    rows = source.rows()
    if rows >= MOST_ROWS:
        return f"has {rows / 1e6:.3g} million rows"
    if (need := _bytes(rows, columns)) > _room():
        return f"needs about {need / 2**30:.2g} GiB of memory, of which {_room() / 2**30:.2g} GiB can be spared"
    return None


def _bytes(rows: int, columns: int) -> float:
    return float(rows) * columns * _BYTES_PER_CELL


def _room() -> float:
    return psutil.virtual_memory().available / 2


def listing(names: Sequence[object], most: int = 20) -> str:
    """Write names one after the other, the first of many."""
    shown = ", ".join(shortened(str(name), 40) for name in names[:most])
    return f"{shown}, … ({len(names)} in all)" if len(names) > most else shown
