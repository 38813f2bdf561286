"""The runs table under way: rows of tables and parts go in by columns, and take little more memory than the table itself."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from bpcore.arrays import Array
from experiments.store.tables import frame_of

if TYPE_CHECKING:  # costly to import, and workers do without
    import pandas as pd


def by_columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return rows as columns, in the order in which they come first, None where a row lacks one; of rows that stay together."""
    return {name: [row.get(name) for row in rows] for name in dict.fromkeys(name for row in rows for name in row)}


class Rows:
    """Collect rows of the runs table; where several are of one run, the last counts."""

    def __init__(self) -> None:
        self._row: dict[str, int] = {}
        self._pieces: list[dict[str, Any]] = []
        self._starts = [0]

    def add(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Add rows.

        Args:
            columns: name -> one value a row; `run_id` among them.
        """
        start = self._starts[-1]
        self._row |= {run_id: start + place for place, run_id in enumerate(columns["run_id"])}
        self._pieces.append({name: _kept(values) for name, values in columns.items() if name not in ("run_id", "job")})
        self._starts.append(start + len(columns["run_id"]))

    def frame(self, places: list[tuple[str, int]]) -> "pd.DataFrame":
        """Return the runs table; what was collected is gone then.

        Args:
            places: (run_id, place in the sweep) of each run, by place; those without a row are left out.
        """
        there = [(run_id, place) for run_id, place in places if run_id in self._row]
        rows = np.array([self._row[run_id] for run_id, _ in there], dtype=np.int64)
        used = dict.fromkeys((np.searchsorted(self._starts, rows, side="right") - 1).tolist())
        names = dict.fromkeys(name for piece in used for name in self._pieces[piece])
        keys: dict[str, list[Any]] = {"run_id": [run_id for run_id, _ in there], "job": [place for _, place in there]}
        return frame_of([*keys, *names], lambda name: keys[name] if name in keys else self._values(name, rows))

    def _values(self, name: str, rows: Array) -> Any:
        kept = [piece.pop(name, (None,)) for piece in self._pieces]
        if all(isinstance(values, array) for values in kept):
            return np.concatenate([np.frombuffer(values) for values in kept])[rows]
        whole = [value for place, values in enumerate(kept) for value in self._expanded(place, values)]
        return [whole[row] for row in rows.tolist()]

    def _expanded(self, place: int, values: Any) -> Iterator[Any]:
        if isinstance(values, tuple):
            values = values * (self._starts[place + 1] - self._starts[place])
        return iter(values.to_pylist() if isinstance(values, pa.Array) else values)


def _kept(values: Sequence[Any]) -> Any:
    """Return values as they are kept: one for all that are equal, numbers as an array, words as Arrow holds them."""
    kinds = {type(value) for value in values}
    if kinds == {float}:
        return array("d", values)
    if kinds <= {str, type(None)} or kinds in ({int}, {bool}):
        if len(values) and values.count(values[0]) == len(values):
            return (values[0],)
        if str in kinds:
            return pa.array(values, pa.string())
    return list(values)
