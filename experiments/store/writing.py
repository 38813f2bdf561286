"""Tables to files: the same bytes for the same rows, however they came about."""

from collections.abc import Iterable
from operator import methodcaller
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from experiments.store.files import Staging
from experiments.store.tables import SCHEMAS
from experiments.text.plain import as_json

ROW_GROUP = 2**17
"""Rows that are written together: their number follows from nothing but the table, so that its bytes do too."""


def write_runs(path: Path, frame: pd.DataFrame) -> None:
    """Write the runs table, whose columns differ from sweep to sweep."""
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path, compression="zstd", write_page_checksum=True)


def write_pieces(path: Path, name: str, pieces: Iterable[pa.Table]) -> None:
    """Write one of the long tables from pieces in the order of its rows; the bytes do not depend on where they were cut.

    Args:
        path: of the file.
        name: of the table.
        pieces: with the table's schema.
    """
    schema = SCHEMAS[name]
    words = [field.name for field in schema if not pa.types.is_floating(field.type)]
    pending: list[pa.Table] = [schema.empty_table()]
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=words, write_page_checksum=True) as writer:
        for piece in pieces:
            pending.append(piece)
            if sum(part.num_rows for part in pending) >= ROW_GROUP:
                whole = pa.concat_tables(pending)
                cut = whole.num_rows - whole.num_rows % ROW_GROUP
                _write_groups(writer, whole.slice(0, cut))
                pending = [whole.slice(cut)]
        _write_groups(writer, pa.concat_tables(pending))


def _write_groups(writer: pq.ParquetWriter, table: pa.Table) -> None:
    for start in range(0, table.num_rows, ROW_GROUP):
        writer.write_table(table.slice(start, ROW_GROUP).combine_chunks(), row_group_size=ROW_GROUP)


def stage_provenance(staging: Staging, provenance: dict[str, Any]) -> None:
    """Stage provenance.json."""
    text = as_json(provenance) + "\n"
    staging.add("provenance.json", methodcaller("write_text", text, encoding="utf-8"))
