"""From a results folder to its tables as pandas frames, and to what made them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from bpcore.measure.columns import FIRST, Column
from experiments.config.files import catalogue, choice
from experiments.config.keys import FORMER, LATER, LATER_GROUPS
from experiments.errors import UserError
from experiments.store.columns import KEYS, RUN_RESULTS, TABLES
from experiments.store.folder import require_results
from experiments.store.tables import PANDAS, Results, Tables
from experiments.text.quoting import quote


class Finished(Tables):
    """Hold the tables of a folder that was just written; the long ones are read when they are asked for.

    Args:
        folder: of the results.
        runs: its runs table.
    """

    def __init__(self, folder: Path, runs: pd.DataFrame) -> None:
        self._folder, self.runs = folder, runs

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name not in TABLES:
            raise AttributeError(name)
        frame = read_table(self._folder, name)
        setattr(self, name, frame)
        return frame


def read_table(folder: Path, name: str) -> pd.DataFrame:
    """Read one table of a results folder.

    Raises:
        UserError: it is missing or damaged, or has other columns.
    """
    path = folder / f"{name}.parquet"
    try:
        frame = pd.read_parquet(path, engine="pyarrow", page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        message = str(error).splitlines()[0]
        raise UserError(f"cannot read {path}: {message}; run the sweep again with --fresh") from error
    require_columns(path, name, frame.columns)
    for column in lacking(name, frame.columns):
        frame[column.name] = pd.Series([None] * len(frame), index=frame.index, dtype=PANDAS[column.kind])
    return _with_later_keys(frame) if name == "runs" else frame


def _with_later_keys(runs: pd.DataFrame) -> pd.DataFrame:
    """Give choices of before their names of today, and fill in what keys and groups that came later stand for.

    Runs of before then do not seem to differ from later ones in them.
    """
    for (group, former), today in FORMER.items():
        if (runs[group] == former).any():
            runs[group] = runs[group].replace(former, today)
    for group, choice_before in LATER_GROUPS.items():
        if group not in runs.columns:
            runs = runs.assign(**{group if key == "name" else f"{group}.{key}": value for key, value in choice_before.items()})
    for (group, key), value in LATER.items():
        name, ours = f"{group}.{key}", runs[group].isin(_having(group, key, runs[group].unique()))
        known = runs[name].astype(object) if name in runs.columns else pd.Series([None] * len(runs), index=runs.index, dtype=object)
        if (ours & known.isna()).any():
            runs[name] = known.where(known.notna() | ~ours, value).infer_objects()
    return runs


def _having(group: str, key: str, names: Iterable[str]) -> list[str]:
    """Return which choices of a group are the package's own and have a key."""
    return [name for name in names if name in catalogue(group) and key in choice(group, name)]


def require_columns(path: Path, name: str, columns: Iterable[str]) -> None:
    """Make sure that a file has the columns of a table, and no others; those of the configuration, in the runs table, are free.

    A file of the first edition may lack what is recorded since.

    Args:
        path: of the file.
        name: of the table.
        columns: of the file.

    Raises:
        UserError: one is missing or not known.
    """
    known, there = KEYS | RUN_RESULTS if name == "runs" else TABLES[name], list(columns)
    missing = [column.name for column in known.values() if column.since == FIRST and column.name not in there]
    strange = [column for column in there if column not in known] if name != "runs" else []
    if missing:
        raise UserError(f"{path} lacks the column `{missing[0]}`; run the sweep again with --fresh")
    if strange:
        raise UserError(f"{path} has the column `{strange[0]}`, which this version does not know; read it with the version that wrote it")


def lacking(name: str, columns: Iterable[str]) -> list[Column]:
    """Return the columns of a table that a file of the first edition lacks.

    Args:
        name: of the table.
        columns: of the file.
    """
    known, there = RUN_RESULTS if name == "runs" else TABLES[name], set(columns)
    return [column for column in known.values() if column.since > FIRST and column.name not in there]


def load(path: str | Path) -> Results:
    """Load a results folder.

    Args:
        path: the folder that a sweep wrote.

    Returns:
        `.runs`, `.layers`, `.steps`, `.histograms` as frames, `.provenance` and `.path`.

    Raises:
        UserError: the folder does not exist, is no results folder, or a table is damaged.
    """
    folder = Path(path)
    require_results(folder)
    frames = {name: read_table(folder, name) for name in ("runs", *TABLES)}
    for name in frames:
        known = frames[name]["run_id"].isin(frames["runs"]["run_id"])
        if not known.all():
            frames[name] = frames[name][known].reset_index(drop=True)
    return Results(**frames, path=folder, provenance=read_provenance(folder / "provenance.json"))


def read_provenance(path: Path) -> dict[str, Any]:
    """Read a provenance file.

    Args:
        path: of provenance.json.

    Returns:
        What made the results.

    Raises:
        UserError: the file is missing, damaged or of another kind.
    """
    try:
        provenance = json.loads(path.read_text(encoding="utf-8"))
        complete = all(isinstance(entry["run_id"], str) for entry in provenance["sweep"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"cannot read {path}: {quote(error)}; run the sweep again with --fresh") from error
    if not (complete and isinstance(provenance, dict)):
        raise UserError(f"{path} is no provenance of a sweep; run the sweep again with --fresh")
    return provenance
