"""CSV and its kin: the separator is found, every cell is read as text, every record must have as many cells as the header."""

import csv
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bpcore.arrays import Array
from experiments.datasets.formats.source import Columns, taken
from experiments.errors import UserError

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_BLOCK = 2**23
"""Bytes that are parsed at once; a record must fit into it."""

_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


class Delimited:
    """Offer the columns of a delimited text file, all as text.

    Args:
        path: of the file.

    Raises:
        UserError: it is empty, its first line names no columns, or there is no line below it.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.notes = path, list[str]()
        self.encoding = self._encoding()
        self.separator = self._separator()
        self.decimal_comma = self.separator != ","
        with self.path.open(encoding=self.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=self.separator)
            records = (record for record in reader if record)
            self.names = [name.strip() for name in next(records)]
            self._header_lines = reader.line_num
            empty = next(records, None) is None
        if all(_is_number(name) for name in self.names):
            shown = self.separator.join(self.names[:5])
            raise UserError(f"{path}: line 1 must name the columns, but holds numbers, {shown!r}; put a line of names above it")
        if empty:
            raise UserError(f"{path} is empty: it has names of columns, but no row below them")

    def _encoding(self) -> str:
        with self.path.open("rb") as file:
            start = file.read(2**16)
        if not start.strip():
            raise UserError(f"{self.path} is empty; expected a line of column names, then rows of numbers and words")
        for mark, encoding in _BOMS.items():
            if start.startswith(mark):
                return encoding
        try:
            start.decode("utf-8")
        except UnicodeDecodeError as error:
            if error.reason != "unexpected end of data":  # a letter may be cut in two at the end of what was read
                self.notes.append("text is read as Windows-1252, since it is no UTF-8")
                return "cp1252"
        return "utf-8"

    def _separator(self) -> str:
        """Return the separator that occurs most in the header: numbers may hold commas, names hardly do."""
        with self.path.open(encoding=self.encoding, newline="") as file:
            header = next((line for line in file if line.strip()), "")
        unquoted = "".join(header.split('"')[::2])
        separator = max(SEPARATORS, key=unquoted.count)
        if unquoted.count(separator) and separator != ",":
            self.notes.append(f"columns are separated by {SEPARATORS[separator]}")
        return separator

    def _records(self) -> Iterator[list[str]]:
        with self.path.open(encoding=self.encoding, newline="") as file:
            yield from (record for record in csv.reader(file, delimiter=self.separator) if record)

    def rows(self) -> int:
        """Return the number of lines after the header, of which some may be empty or parts of a record."""
        with self.path.open("rb") as file:
            blocks = iter(lambda: file.read(2**20), b"")
            return max(0, sum(block.count(b"\n") for block in blocks) - 1)

    def exact_rows(self) -> int:
        """Return the number of records after the header."""
        return sum(batch.num_rows for batch in self._batches(self.names[:1]))

    def read(self, columns: Sequence[str], chosen: Array | None) -> Columns:
        """Return columns as text, whole or at the chosen rows.

        Raises:
            UserError: a record has more or fewer cells than the header, or holds what is no text.
        """
        import pyarrow as pa

        if chosen is not None:
            return taken(self._batches(columns), columns, chosen)
        batches = list(self._batches(columns))
        schema = pa.schema([(name, pa.string()) for name in columns])
        table = pa.Table.from_batches([batch.select(list(columns)) for batch in batches], schema)
        return {name: table.column(name) for name in columns}

    def _batches(self, columns: Sequence[str]) -> Iterator[Any]:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        wrong: list[Any] = []

        def refuse(record: Any) -> str:
            wrong.append(record)
            return "error"

        read = arrow_csv.ReadOptions(
            use_threads=False,
            block_size=_BLOCK,
            encoding="utf-8" if self.encoding == "utf-8-sig" else self.encoding,
            column_names=[str(place) for place in range(len(self.names))],  # the header's may be the same, or empty
            skip_rows=self._header_lines,
        )
        places = [str(self.names.index(name)) for name in columns]
        convert = arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(places, pa.string()), include_columns=places, strings_can_be_null=False
        )
        parse = arrow_csv.ParseOptions(delimiter=self.separator, newlines_in_values=True, invalid_row_handler=refuse)
        try:
            for batch in arrow_csv.open_csv(self.path, read_options=read, convert_options=convert, parse_options=parse):
                yield batch.rename_columns(list(columns))
        except pa.ArrowInvalid as error:
            raise UserError(self._explain(error, wrong)) from error

    def _explain(self, error: Exception, wrong: list[Any]) -> str:
        expected = len(self.names)
        for row, record in enumerate(itertools.islice(self._records(), 1, None)):
            if len(record) != expected:
                cells = f"{len(record)} {'cell' if len(record) == 1 else 'cells'}"
                return (
                    f"{self.path}: {self.place(row)} has {cells}, the header {expected}; "
                    f"complete the line, or put what holds a {self.separator!r} into quotes"
                )
        what = " ".join(str(error).split())
        return f"cannot read {self.path}: {what}; save it anew as CSV in UTF-8"

    def place(self, row: int) -> str:
        """Return a row's number and, which differs by the header, that of its line."""
        with self.path.open(encoding=self.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=self.separator)
            records = (reader.line_num for record in reader if record)
            line = next(itertools.islice(records, row + 1, None))
        return f"row {row + 1} (line {line})"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
