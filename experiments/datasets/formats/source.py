"""What every format of a table offers: names, size, columns, and where a row stands."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from bpcore.arrays import Array

Columns = dict[str, Any]
"""Column name -> pyarrow.ChunkedArray, in the order that was asked for."""


class Source(Protocol):
    """Offer the columns of a file.

    Args:
        names: of the columns, in the file's order; an empty one where a column has none.
        notes: what was decided in reading, one sentence each.
        decimal_comma: whether 1,5 may be a number in its cells.
    """

    names: list[str]
    notes: list[str]
    decimal_comma: bool

    def rows(self) -> int:
        """Return the number of rows, or a little more, without reading the cells."""
        ...

    def read(self, columns: Sequence[str], chosen: Array | None) -> Columns:
        """Return columns, whole or at the chosen rows, which are sorted."""
        ...

    def exact_rows(self) -> int:
        """Return the number of rows."""
        ...

    def place(self, row: int) -> str:
        """Return what a reader calls a row, counted from 0 here and from 1 there."""
        ...


@dataclass
class Place:
    """Name the rows of a table that was read in part.

    Args:
        source: of the table.
        chosen: the rows that were read; None for all.
        kept: which of these are left; None for all.
    """

    source: Source
    chosen: Array | None = None
    kept: Array | None = field(default=None)

    def __call__(self, row: int) -> str:
        """Return what a reader calls a row of what was read."""
        at = row if self.kept is None else int(self.kept[row])
        return self.source.place(at if self.chosen is None else int(self.chosen[at]))


def taken(batches: Any, columns: Sequence[str], chosen: Array) -> Columns:
    """Take sorted rows out of batches that are read one after the other.

    Args:
        batches: iterable of pyarrow.RecordBatch.
        columns: to take.
        chosen: (k,) row numbers from 0, ascending.

    Returns:
        The columns, k rows each.
    """
    import pyarrow as pa

    pieces, start = [], 0
    for batch in batches:
        low, high = np.searchsorted(chosen, (start, start + batch.num_rows))
        if high > low:
            pieces.append(batch.take(pa.array(chosen[low:high] - start)))
        start += batch.num_rows
    table = pa.Table.from_batches(pieces)
    return {name: table.column(name) for name in columns}
