"""From parts and earlier tables to the tables of a sweep, a bounded piece at a time."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bpcore.arrays import Array
from experiments.errors import UserError
from experiments.store.parts import PART_SCHEMAS, Part, slices
from experiments.store.reading import lacking, require_columns
from experiments.store.tables import SCHEMAS

_PIECE = 64
"""Runs whose rows are held together at a time; the tables do not depend on it."""

_HELD = 2**27
"""Bytes of a table's parts or row groups that are held in memory, where runs of many shapes alternate."""


class Source(Protocol):
    """Anything that holds rows of runs of one table."""

    @property
    def runs(self) -> dict[str, tuple[int, int]]:
        """Return run_id -> first row and number of rows."""
        ...

    def rows(self, start: int, count: int) -> pa.Table:
        """Return rows, with the columns of a part."""
        ...

    def forget(self) -> None:
        """Let go of what is held in memory; `rows` may read it again."""
        ...


class _Cache:
    """Keep what was read last, up to a number of bytes and at least one."""

    def __init__(self) -> None:
        self._total = 0
        self._held = OrderedDict[Any, tuple[pa.Table, int]]()

    def get(self, key: Any, read: Callable[[], pa.Table]) -> pa.Table:
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key][0]
        table = read()
        size = table.nbytes  # walks every column of every chunk: asked once
        self._held[key] = table, size
        self._total += size
        while len(self._held) > 1 and self._total > _HELD:
            _, (_, freed) = self._held.popitem(last=False)
            self._total -= freed
        return table

    def drop(self, key: Any = None) -> None:
        """Let go of what was read under a key, or of everything."""
        for known in [key] if key is not None else list(self._held):
            self._total -= self._held.pop(known, (None, 0))[1]


class PartSource:
    """One table of a part.

    Args:
        part: on disk.
        name: of the table.
        cache: shared by the sources of one table.
    """

    def __init__(self, part: Part, name: str, cache: _Cache) -> None:
        self._part, self._name, self._cache = part, name, cache

    @property
    def runs(self) -> dict[str, tuple[int, int]]:
        """Return run_id -> first row and number of rows; made anew, since those of a hundred thousand runs weigh much."""
        return dict(zip(self._part.run_ids, slices(self._part.rows[self._name]), strict=True))

    def rows(self, start: int, count: int) -> pa.Table:
        """Return rows of the part."""
        return self._cache.get(self._part.path, lambda: self._part.read(self._name)).slice(start, count)

    def forget(self) -> None:
        """Let go of the part's table."""
        self._cache.drop(self._part.path)


class FileSource:
    """A table of a results folder, read by row groups.

    Args:
        folder: of the results.
        name: of the table.

    Raises:
        UserError: the table is damaged, or of another layout.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._path, self._name, self._cache = folder / f"{name}.parquet", name, _Cache()
        try:
            self._file = pq.ParquetFile(self._path, page_checksum_verification=True)
            column = pq.read_table(self._path, columns=["run_id"], read_dictionary=["run_id"])["run_id"]
        except (OSError, pa.ArrowException) as error:
            message = str(error).splitlines()[0]
            raise UserError(f"cannot read {self._path}: {message}; run the sweep again with --fresh") from error
        require_columns(self._path, name, self._file.schema_arrow.names)
        self.lacking = [column.name for column in lacking(name, self._file.schema_arrow.names)]
        """Columns that the file does not have, made before there were any; `rows` has them empty."""
        self.runs = _extents(column, self._path)
        metadata = self._file.metadata
        sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._bounds = np.cumsum([0, *sizes])

    def rows(self, start: int, count: int) -> pa.Table:
        """Return rows of the table."""
        schema = PART_SCHEMAS[self._name]
        first, last = (int(np.searchsorted(self._bounds, row, side="right")) - 1 for row in (start, start + max(count, 1) - 1))
        if not count:
            return schema.empty_table()
        groups = [self._cache.get(group, lambda group=group: self._group(group)) for group in range(first, last + 1)]  # type: ignore[misc]
        return pa.concat_tables(groups).slice(start - int(self._bounds[first]), count)

    def forget(self) -> None:
        """Let go of the row groups that are held."""
        self._cache.drop()

    def _group(self, group: int) -> pa.Table:
        schema = PART_SCHEMAS[self._name]
        try:
            there = [name for name in schema.names if name not in self.lacking]
            found = self._file.read_row_group(group, columns=there)
            for name in self.lacking:
                found = found.append_column(schema.field(name), pa.array(np.full(found.num_rows, np.nan)))
            return found.select(schema.names).replace_schema_metadata().cast(schema)
        except (OSError, pa.ArrowException) as error:
            message = str(error).splitlines()[0]
            raise UserError(f"cannot read {self._path}: {message}; run the sweep again with --fresh") from error


def _extents(column: pa.ChunkedArray, path: Path) -> dict[str, tuple[int, int]]:
    """Return each run's first row and number of rows; a table of ours holds the rows of a run together."""
    column = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # an empty table has no chunk
        whole = whole.chunk(0) if whole.num_chunks else pa.array([], pa.string()).dictionary_encode()
    codes: Array = whole.indices.to_numpy(zero_copy_only=False)
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    counts = np.diff(np.append(starts, codes.size))
    names = [whole.dictionary[int(codes[start])].as_py() for start in starts]
    if len(set(names)) != len(names):
        raise UserError(f"{path} does not hold the rows of a run together; run the sweep again with --fresh")
    return dict(zip(names, zip(starts.tolist(), counts.tolist(), strict=True), strict=True))


def part_sources(parts: Iterable[Part], name: str) -> list[Source]:
    """Return the sources of one table in parts."""
    cache = _Cache()
    return [PartSource(part, name, cache) for part in parts]


def pieces(name: str, places: list[tuple[str, int]], sources: list[Source]) -> Iterator[pa.Table]:
    """Yield the rows of a table in the order of the sweep.

    Args:
        name: of the table.
        places: (run_id, place in the sweep) of each run, by place.
        sources: where several hold a run, the last counts.
    """
    holder = {run_id: source for source in sources for run_id in source.runs}
    left = Counter(holder[run_id] for run_id, _ in places if run_id in holder)
    for low in range(0, len(places), _PIECE):
        chosen = [(run_id, place) for run_id, place in places[low : low + _PIECE] if run_id in holder]
        asked = Counter(holder[run_id] for run_id, _ in chosen)
        extents = {source: source.runs for source in asked}
        found = [extents[holder[run_id]][run_id] for run_id, _ in chosen]
        tables = _gather([holder[run_id] for run_id, _ in chosen], found)
        counts = [count for _, count in found]
        whole = pa.concat_tables([PART_SCHEMAS[name].empty_table(), *tables])
        position = np.repeat(np.arange(len(chosen)), counts)
        ids = pa.array([run_id for run_id, _ in chosen], pa.string()).take(pa.array(position))
        jobs = np.repeat(np.array([place for _, place in chosen], dtype=np.int64), counts)
        yield pa.table([ids, pa.array(jobs, pa.int64()), *whole.columns], schema=SCHEMAS[name])
        for source, count in asked.items():
            left[source] -= count
            if not left[source]:  # all of its rows are in their places
                source.forget()


def _gather(holders: list[Source], found: list[tuple[int, int]]) -> list[pa.Table]:
    """Read rows of runs, those that lie behind each other in one source at once."""
    spans: list[tuple[Source, int, int]] = []
    for source, (start, count) in zip(holders, found, strict=True):
        if spans and spans[-1][0] is source and spans[-1][1] + spans[-1][2] == start:
            spans[-1] = (source, spans[-1][1], spans[-1][2] + count)
        else:
            spans.append((source, start, count))
    return [source.rows(start, count) for source, start, count in spans]
