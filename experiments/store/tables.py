"""The tables of a sweep: their Arrow types, and what holds them as pandas frames.

A results folder holds runs, layers, steps and histograms as Parquet files, and provenance.json. The runs table is
written last and is what counts: rows of the other tables belong to a run only if the run is listed there.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from bpcore.arrays import FloatArray
from bpcore.measure.columns import Kind, agree
from experiments.store.columns import RUN_RESULTS, SORT, TABLES

if TYPE_CHECKING:  # costly to import, and workers do without
    import pandas as pd

WRITE_ORDER = ("histograms", "layers", "steps", "runs")

ARROW: dict[Kind, pa.DataType] = {"number": pa.float64(), "whole": pa.int64(), "truth": pa.bool_(), "word": pa.string()}
PANDAS: dict[Kind, str] = {"number": "float64", "whole": "Int64", "truth": "boolean", "word": "str"}
"""The dtypes of what a column holds, in Arrow and in pandas."""

SCHEMAS = {name: pa.schema([(column.name, ARROW[column.kind]) for column in columns.values()]) for name, columns in TABLES.items()}
"""The Arrow types of the three long tables."""


@dataclass
class Tables:
    """Hold the frames of a sweep.

    Args:
        runs: one row a run: identity, every config key, what came out.
        layers: one row a run, step and layer.
        steps: one row a run and step.
        histograms: one row a run, step, layer, quantity and occupied bin.
    """

    runs: "pd.DataFrame"
    layers: "pd.DataFrame"
    steps: "pd.DataFrame"
    histograms: "pd.DataFrame"

    def items(self) -> "list[tuple[str, pd.DataFrame]]":
        """Return (table name, frame), in the order of writing."""
        return [(name, getattr(self, name)) for name in WRITE_ORDER]


@dataclass
class Results(Tables):
    """Hold the tables of a results folder, and where they came from.

    Args:
        path: the folder.
        provenance: what made it.
    """

    path: Path = Path()
    provenance: dict[str, Any] = field(default_factory=dict)


def runs_frame(rows: list[dict[Any, Any]]) -> "pd.DataFrame":
    """Build the runs table from one dict a run, sorted by job, its dtypes read off all rows together.

    Args:
        rows: identity, dotted config columns and results; keys of the configuration that a run lacks are left empty.

    Returns:
        The frame: identity, then config (a group's keys behind the group), then results.

    Raises:
        ColumnError: a run lacks a result.
    """
    for row in rows:
        agree("runs", RUN_RESULTS, RUN_RESULTS.keys() & row.keys(), "who made the run's row")
    return frame_of(dict.fromkeys(name for row in rows for name in row), lambda name: [row.get(name) for row in rows])


def frame_of(names: Iterable[str], values: "Callable[[str], list[Any] | FloatArray]") -> "pd.DataFrame":
    """Build the runs table column by column, sorted by job.

    Args:
        names: of the columns, in the order in which they come first.
        values: called with a column's name once, for its values by row: a list, or an array of numbers, NaN where there is none.

    Returns:
        The frame, as that of `runs_frame`.

    Raises:
        ColumnError: the results are not those that are declared.
    """
    import pandas as pd

    names = list(names)
    agree("runs", RUN_RESULTS, RUN_RESULTS.keys() & set(names), "who made the runs' rows")
    configured = [name for name in names if name not in RUN_RESULTS]
    tops = list(dict.fromkeys(name.partition(".")[0] for name in configured))
    ordered = [*sorted(configured, key=lambda name: (tops.index(name.partition(".")[0]), name)), *RUN_RESULTS]
    return _sorted("runs", pd.DataFrame({name: _column(name, values(name)) for name in ordered}))


_DTYPES = {column.name: PANDAS[column.kind] for column in RUN_RESULTS.values()} | {"batch_size": "Int64", "record.snapshot": "Int64"}
"""Dtypes that are not read off the values: of all results, and of keys that may be empty in every run."""


def _column(name: str, values: "list[Any] | FloatArray") -> "pd.Series[Any]":
    import pandas as pd

    if not isinstance(values, list):
        if _DTYPES.get(name, "float64") == "float64" and not np.isnan(values).all():
            return pd.Series(values)
        values = values.tolist()
    values = [None if value is None or value is pd.NA or value != value else value for value in values]
    kinds = {type(value) for value in values if value is not None}
    dtype = _DTYPES.get(name)
    if dtype is None:
        if kinds <= {bool}:
            dtype = "boolean" if kinds else "object"
        elif kinds <= {int}:
            dtype = "Int64" if None in values else "int64"
        else:
            dtype = "str" if str in kinds else "float64"
    if dtype == "str":
        values = [None if value is None else str(value) for value in values]
    return pd.Series(values, dtype=dtype)


def _sorted(name: str, frame: "pd.DataFrame") -> "pd.DataFrame":
    return frame.sort_values(SORT[name], kind="stable", ignore_index=True)
