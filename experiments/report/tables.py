"""The tables of a report's page: which columns, how a cell is written and sorted. Frames in, plain rows out."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from experiments.config.keys import GROUPS, SCALARS
from experiments.diagnosis.groups import summarize_groups, verdict_text
from experiments.figures.data.roles import is_numeric
from experiments.store.columns import LAYERS, RUN_RESULTS, STEPS
from experiments.text.numbers import MISSING, interval, label, missing, number, percent


@dataclass(frozen=True)
class Column:
    """Hold the head of a table's column: its name, and whether it holds numbers."""

    name: str
    numeric: bool


@dataclass(frozen=True)
class Cell:
    """Hold a cell: what is read, what it is sorted by, and the verdict it states, if any."""

    text: str
    key: str
    verdict: str = ""


@dataclass(frozen=True)
class Table:
    """Hold a table of a page."""

    columns: list[Column]
    rows: list[list[Cell]]


def _cell(name: str, value: Any) -> Cell:
    if value is None or pd.isna(value):
        return Cell(MISSING, "")
    if isinstance(value, (bool, np.bool_, str)):
        text = label(value)
        return Cell(text, text, text.split(" ")[0] if name == "verdict" else "")
    if "accuracy" in name:
        return Cell(percent(value, 1), repr(float(value)))
    key = repr(float(value))
    if isinstance(value, (int, np.integer)):
        return Cell(str(int(value)), key)
    return Cell(label(value) if name in SCALARS or "." in name else number(value), key)


def _table(frame: pd.DataFrame, names: dict[str, str]) -> Table:
    columns = [Column(shown, is_numeric(frame[name])) for name, shown in names.items()]
    rows = [[_cell(name, row[name]) for name in names] for row in frame[list(names)].to_dict("records")]
    return Table(columns, rows)


def settings_table(runs: pd.DataFrame, axes: list[str]) -> Table:
    """Return one row a setting, over its seeds: factor, theory, loss, accuracy, verdict.

    Args:
        runs: the runs table.
        axes: config columns that vary.

    Returns:
        The table.
    """
    groups = summarize_groups(runs, axes)
    ends = zip(groups["delta_factor_lo"], groups["delta_factor_hi"], strict=True)
    groups["verdict"] = [verdict_text(group) for group in groups.to_dict("records")]
    groups["range"] = [None if missing(low) else interval(low, high) for low, high in ends]
    names = {axis: axis for axis in axes} | {
        "n_runs": "runs",
        "verdict": "verdict",
        "delta_factor": "factor",
        "range": "95 %",
        "delta_factor_theory": "theory",
        "final_loss": "loss",
        "final_accuracy": "accuracy",
        "test_accuracy": "on test data",
        "n_diverged": "diverged",
        "verdict_reason": "reason",
    }
    if (groups["n_runs"] == 1).all():
        names = {name: shown for name, shown in names.items() if name != "n_runs"}
    return _table(groups, _present(groups, names))


def _present(frame: pd.DataFrame, names: dict[str, str]) -> dict[str, str]:
    """Leave out results that are empty throughout."""
    return {name: shown for name, shown in names.items() if frame[name].notna().any()}


def runs_table(runs: pd.DataFrame, axes: list[str]) -> Table:
    """Return one row a run.

    Args:
        runs: the runs table.
        axes: config columns that vary.

    Returns:
        The table: job, axes, seed, results, identity.
    """
    frame = runs.copy()
    frame["error"] = [None if pd.isna(error) else str(error).splitlines()[0] for error in frame["error"]]
    names = list(dict.fromkeys(["job", *axes, "seed", "status", "verdict", *RUN_RESULTS, "run_id"]))
    return _table(frame, _present(frame, {name: name for name in names}))


def fixed(runs: pd.DataFrame, axes: list[str]) -> list[tuple[str, str]]:
    """Return the config keys that all runs share, with their value; keys that exist for no run are left out."""
    known = [column for column in runs.columns if column in SCALARS or column.partition(".")[0] in GROUPS]
    rest = [column for column in known if column not in axes and column != "seed" and runs[column].notna().any()]
    return [(column, ", ".join(label(value) for value in runs[column].dropna().unique())) for column in rest]


def definitions() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what the columns mean: (table, [(column, meaning)])."""
    keys = [(name, str(declared.metadata["help"])) for name, declared in SCALARS.items()]
    tables = {"results of a run": RUN_RESULTS, "layers": LAYERS, "steps": STEPS}
    meanings = [(title, [(column.name, column.text) for column in columns.values()]) for title, columns in tables.items()]
    return [*meanings, ("keys of the configuration", keys)]


def provenance_rows(record: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what made the results, as (what, value) rows.

    Args:
        record: provenance.json.

    Returns:
        Rows for the command, versions, machine, code and data; what the record lacks is left out.
    """
    versions = record.get("versions") or {}
    git = record.get("git")
    kernels = sorted(
        {
            f"{lib.get('internal_api', '')} {lib.get('version', '')}, {lib.get('architecture', '')} kernel"
            for lib in record.get("blas") or []
        }
    )
    data = [f"{entry.get('origin', entry.get('name', ''))}, SHA-256 {entry.get('sha256', '')}" for entry in record.get("data") or []]
    seconds = record.get("wall_seconds")
    rows = [
        ("command", str(record.get("command", ""))),
        ("wall time of the runs", f"{number(seconds, 6)} s" if isinstance(seconds, (int, float)) else ""),
        ("versions", ", ".join(f"{name} {version}" for name, version in versions.items() if version)),
        ("code", f"commit {git['commit']}{' with local changes' if git.get('dirty') else ''}" if git else "installed package"),
        ("arithmetic version", str(record.get("arithmetic_version", ""))),
        ("numerics", ", ".join(map(str, record.get("numerics") or []))),
        ("CPU", " · ".join(str(part) for part in (record.get("cpu"), f"{record['cores']} cores" if record.get("cores") else None) if part)),
        ("BLAS", "; ".join(kernels)),
        ("platform", str(record.get("platform", ""))),
        *(("data", text) for text in data),
    ]
    return [(what, value) for what, value in rows if value]
