"""From the tables of all runs to those of each finding's own sweeps, made when they are asked for: no finding needs them all."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.atlas.sweeps import Composition
from experiments.store.columns import RUN_RESULTS, TABLES
from experiments.store.tables import Results, Tables

_FEW = 64
"""Stretches up to which they are put together as they are; more are gathered row by row."""


class _Rows:
    """Know where each run's rows stand in a table.

    Args:
        frame: the table; the rows of a run follow each other.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        codes, run_ids = pd.factorize(frame["run_id"])
        starts = np.flatnonzero(np.diff(codes, prepend=-1))
        ends = np.append(starts[1:], len(codes))
        if len(starts) > len(run_ids):
            raise ValueError("the rows of a run must follow each other")
        self._places = {run_ids[codes[start]]: (int(start), int(end)) for start, end in zip(starts, ends, strict=True)}

    def of(self, run_ids: Sequence[str]) -> pd.DataFrame:
        """Return the rows of runs in their order; `job` is a run's place among them."""
        found = [(job, *self._places[run_id]) for job, run_id in enumerate(run_ids) if run_id in self._places]
        job = np.repeat([job for job, _, _ in found], [end - start for _, start, end in found]).astype(np.int64)
        stretches: list[tuple[int, int]] = []
        for _, start, end in found:
            if stretches and stretches[-1][1] == start:
                stretches[-1] = stretches[-1][0], end
            else:
                stretches.append((start, end))
        if not 1 <= len(stretches) <= _FEW:
            rows = self._frame.iloc[np.concatenate([np.arange(*stretch) for stretch in stretches]) if stretches else []]
        else:
            pieces = [self._frame.iloc[start:end] for start, end in stretches]
            rows = pieces[0] if len(pieces) == 1 else pd.concat(pieces)
        return rows.reset_index(drop=True).assign(job=job)


def _in_numbers(runs: pd.DataFrame) -> pd.DataFrame:
    """Return a runs table with numbers for the keys that are text only because other sweeps have words or lists there."""
    found = {}
    for name in runs.columns.difference(list(RUN_RESULTS)):
        column = runs[name]
        if pd.api.types.is_string_dtype(column.dropna()) and name != "run_id" and column.notna().any():
            numbers = pd.to_numeric(column, errors="coerce")
            if numbers.notna().equals(column.notna()):
                found[name] = numbers.astype("int64") if (numbers % 1 == 0).all() else numbers.astype("float64")
    return runs.assign(**found)


class Part(Results):
    """Hold the results of one sweep of a finding; its long tables are made when they are asked for.

    Args:
        rows: table -> where its rows stand.
        run_ids: of the sweep, in its order.
        path: folder of the tables, where the snapshots are too.
        provenance: of the tables.
    """

    def __init__(self, rows: Mapping[str, _Rows], run_ids: Sequence[str], path: Path, provenance: dict[str, Any]) -> None:
        self._rows, self._run_ids = rows, run_ids
        self.runs = _in_numbers(rows["runs"].of(run_ids))
        self.path, self.provenance = path, provenance

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name not in TABLES:
            raise AttributeError(name)
        frame = self._rows[name].of(self._run_ids)
        setattr(self, name, frame)
        return frame


class Parts(Mapping[str, dict[str, Results]]):
    """Hold what each finding is given: finding -> sweep name -> results, `job` counting within the sweep.

    Args:
        tables: of all runs.
        composition: which runs are whose.
        path: folder of the tables.
        provenance: of the tables.
    """

    def __init__(self, tables: Tables, composition: Composition, path: Path, provenance: dict[str, Any]) -> None:
        self._tables, self._members, self._path, self._provenance = tables, composition.members, path, provenance
        self._rows = _AllRows(tables)

    def prepare(self, *names: str) -> None:
        """Look tables through that will be asked for, before the work is shared out."""
        for name in names:
            self._rows[name]

    def __getitem__(self, finding: str) -> dict[str, Results]:
        """Return a finding's results, made anew each time."""
        own = {sweep: run_ids for (owner, sweep), run_ids in self._members.items() if owner == finding}
        if not own:
            raise KeyError(finding)
        return {sweep: Part(self._rows, run_ids, self._path, copy.copy(self._provenance)) for sweep, run_ids in own.items()}

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(finding for finding, _ in self._members))

    def __len__(self) -> int:
        return len({finding for finding, _ in self._members})


class _AllRows(Mapping[str, _Rows]):
    """Look a table through when it is first asked for."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._known: dict[str, _Rows] = {}

    def __getitem__(self, name: str) -> _Rows:
        if name not in self._known:
            self._known[name] = _Rows(getattr(self._tables, name))
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(("runs", *TABLES))

    def __len__(self) -> int:
        return 1 + len(TABLES)
