"""What is to be done: the runs of a sweep, less those that its folder has already."""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.config.run import Run
from experiments.errors import UserError
from experiments.store.assembling import FileSource
from experiments.store.columns import TABLES
from experiments.store.folder import is_results
from experiments.store.parts import snapshot_name
from experiments.store.reading import read_provenance, read_table
from experiments.store.settling import Unfinished, unfinished


@dataclass(frozen=True)
class Plan:
    """Hold what an invocation is to do.

    Args:
        folder: results folder.
        runs: of the whole sweep.
        todo: those that are not done yet.
        asked: the runs as they were asked for, before those that extend a sweep were given their places.
        begun: what the folder has of this sweep, under way when its process ended; or None.
        earlier: provenance entries of runs in the folder that are not of this sweep.
        provenance: of the results in the folder, where they are added to.
        replaces: whether the folder holds results that are kept until the new ones are whole.
        fresh: whether results of before are replaced.
        extend: whether the runs are added to those of another sweep.
    """

    folder: Path
    runs: list[Run]
    todo: list[Run]
    asked: list[Run] = field(repr=False)
    begun: Unfinished | None = field(default=None, repr=False)
    earlier: list[dict[str, Any]] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict, repr=False)
    replaces: bool = False
    fresh: bool = False
    extend: bool = False

    @property
    def done(self) -> int:
        """Return the number of runs that need not be run again."""
        return len(self.runs) - len(self.todo)


def default_name(runs: list[Run], experiment: str | None) -> str:
    """Derive a folder name from the definition of a sweep, so that the same command finds its own results.

    Args:
        runs: of the sweep.
        experiment: the chosen experiment, or None.

    Returns:
        experiment-, sweep- or run- and 8 hexadecimal digits.
    """
    digest = hashlib.sha256("".join(run.run_id for run in runs).encode()).hexdigest()[:8]
    return f"{experiment or ('sweep' if len(runs) > 1 else 'run')}-{digest}"


def folder_of(runs: list[Run], experiment: str | None) -> Path:
    """Return the results folder of a sweep."""
    return Path(runs[0].results_dir) / (runs[0].name or default_name(runs, experiment))


def plan(runs: list[Run], folder: Path, fresh: bool = False, extend: bool = False, grows: bool = False) -> Plan:
    """Find out what is done already; nothing is written.

    Args:
        runs: of the sweep.
        folder: its results folder, which need not exist.
        fresh: whether results of before are replaced.
        extend: whether the runs are added to those of another sweep.
        grows: whether the sweep may have grown in its folder from these runs, with which it then begins.

    Returns:
        The plan.

    Raises:
        UserError: the folder holds another sweep, and neither `fresh` nor `extend` was given; or its tables are damaged.
    """
    has_tables = is_results(folder) and (folder / "provenance.json").is_file()
    begun = unfinished(folder)
    usable = begun if begun is not None and begun.manifest["replaces"] == (fresh and has_tables) else None
    if begun is not None and begun.manifest["committing"]:
        usable = None if fresh else begun
    if fresh:
        if usable is not None and usable.run_ids != [run.run_id for run in runs]:
            usable = None
        todo = [run for run in runs if usable is None or run.run_id not in _in_parts(usable)]
        return Plan(folder, runs, todo, runs, usable, provenance=usable.manifest if usable else {}, replaces=has_tables, fresh=True)
    if usable is not None and not (usable.parts or has_tables):  # killed before its first tile: there is nothing to lose
        usable = None
    if usable is None and not has_tables:
        return Plan(folder, runs, runs, runs, extend=extend)
    before = usable.manifest if usable is not None else read_provenance(folder / "provenance.json")
    earlier: list[dict[str, Any]] = before["sweep"]
    old_ids = [entry["run_id"] for entry in earlier]
    asked = runs
    extend = extend or (grows and old_ids[: len(runs)] == [run.run_id for run in runs])
    if extend:
        new = iter(range(len(old_ids), len(old_ids) + len(runs)))  # a run keeps its place; new ones go behind
        known = {run_id: place for place, run_id in enumerate(old_ids)}
        runs = [replace(run, index=known[run.run_id] if run.run_id in known else next(new)) for run in runs]
    elif old_ids != [run.run_id for run in runs]:
        raise UserError(
            f"{folder} holds another sweep ({len(old_ids)} run{'' if len(old_ids) == 1 else 's'}); "
            "choose another name, or --extend to add these runs to it, or --fresh to replace it"
        )
    own = {run.run_id for run in runs}
    done = _in_parts(usable) | (_in_tables(folder, runs) if has_tables else set())
    others = [entry for entry in earlier if entry["run_id"] not in own]
    todo = [run for run in runs if run.run_id not in done]
    return Plan(folder, runs, todo, asked, usable, others, before, extend=extend)


def _in_parts(begun: Unfinished | None) -> set[str]:
    return {run_id for part in begun.parts if not part.failed for run_id in part.run_ids} if begun is not None else set()


def _in_tables(folder: Path, runs: list[Run]) -> set[str]:
    """Return the runs that need not be run again: not failed, all of their rows there, their snapshot too."""
    rows = read_table(folder, "runs")
    rows = rows[rows["status"] != "failed"]
    done = set(rows["run_id"]).intersection(*(FileSource(folder, name).runs for name in TABLES))
    ends = dict(zip(rows["run_id"], rows["diverged_at_step"], strict=True))
    for run in runs:
        wanted = run.record.snapshot
        end = ends.get(run.run_id)
        reached = end is None or pd.isna(end) or wanted is None or wanted <= end  # a diverged run has none behind its end
        if wanted is not None and reached and not (folder / snapshot_name(run.run_id)).is_file():
            done.discard(run.run_id)
    return done
