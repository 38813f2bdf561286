"""Parquet: columns with types of their own; only those that are asked for are read."""

from collections.abc import Sequence
from pathlib import Path

from bpcore.arrays import Array
from experiments.datasets.formats.source import Columns, taken
from experiments.errors import UserError


class Parquet:
    """Offer the columns of a Parquet file.

    Args:
        path: of the file.

    Raises:
        UserError: it is no Parquet file, or has no row.
    """

    decimal_comma = False

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.path, self.notes = path, list[str]()
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            what = " ".join(str(error).split())
            raise UserError(f"cannot read {path}: {what}; expected a Parquet file, such as pandas' to_parquet writes") from error
        if not self._file.metadata.num_rows:
            raise UserError(f"{path} is empty: it has columns, but no row")
        names = [str(name) for name in self._file.schema_arrow.names]
        self.names = ["" if name.startswith("__index_level_") else name for name in names]  # pandas' own name for an index without one

    def rows(self) -> int:
        """Return the number of rows."""
        return int(self._file.metadata.num_rows)

    exact_rows = rows

    def read(self, columns: Sequence[str], chosen: Array | None) -> Columns:
        """Return columns, whole or at the chosen rows.

        Raises:
            UserError: the file is damaged.
        """
        import pyarrow as pa

        try:
            if chosen is not None:
                return taken(self._file.iter_batches(columns=list(columns)), columns, chosen)
            table = self._file.read(columns=list(columns))
        except (pa.ArrowException, OSError) as error:
            raise UserError(f"cannot read {self.path}: {' '.join(str(error).split())}; write it anew") from error
        return {name: table.column(name) for name in columns}

    def place(self, row: int) -> str:
        """Return a row's number."""
        return f"row {row + 1}"
