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
        jobs: of the whole sweep.
        todo: those that are not done yet.
        asked: the jobs as they were asked for, before those that extend a sweep were given their places.
        begun: what the folder has of this sweep, under way when its process ended; or None.
        earlier: provenance entries of runs in the folder that are not of this sweep.
        provenance: of the results in the folder, where they are added to.
        replaces: whether the folder holds results that are kept until the new ones are whole.
        fresh: whether results of before are replaced.
        extend: whether the runs are added to those of another sweep.
    """

    folder: Path
    jobs: list[Run]
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
        return len(self.jobs) - len(self.todo)


def default_name(jobs: list[Run], experiment: str | None) -> str:
    """Derive a folder name from the definition of a sweep, so that the same command finds its own results.

    Args:
        jobs: of the sweep.
        experiment: the chosen experiment, or None.

    Returns:
        experiment-, sweep- or run- and 8 hexadecimal digits.
    """
    digest = hashlib.sha256("".join(job.run_id for job in jobs).encode()).hexdigest()[:8]
    return f"{experiment or ('sweep' if len(jobs) > 1 else 'run')}-{digest}"


def folder_of(jobs: list[Run], experiment: str | None) -> Path:
    """Return the results folder of a sweep."""
    return Path(jobs[0].results_dir) / (jobs[0].name or default_name(jobs, experiment))


def plan(jobs: list[Run], folder: Path, fresh: bool = False, extend: bool = False) -> Plan:
    """Find out what is done already; nothing is written.

    Args:
        jobs: of the sweep.
        folder: its results folder, which need not exist.
        fresh: whether results of before are replaced.
        extend: whether the runs are added to those of another sweep.

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
        if usable is not None and usable.run_ids != [job.run_id for job in jobs]:
            usable = None
        todo = [job for job in jobs if usable is None or job.run_id not in _in_parts(usable)]
        return Plan(folder, jobs, todo, jobs, usable, provenance=usable.manifest if usable else {}, replaces=has_tables, fresh=True)
    if usable is not None and not (usable.parts or has_tables):  # killed before its first tile: there is nothing to lose
        usable = None
    if usable is None and not has_tables:
        return Plan(folder, jobs, jobs, jobs, extend=extend)
    before = usable.manifest if usable is not None else read_provenance(folder / "provenance.json")
    earlier: list[dict[str, Any]] = before["sweep"]
    old_ids = [entry["run_id"] for entry in earlier]
    asked = jobs
    if extend:
        new = iter(range(len(old_ids), len(old_ids) + len(jobs)))  # a run keeps its place; new ones go behind
        known = {run_id: place for place, run_id in enumerate(old_ids)}
        jobs = [replace(job, index=known[job.run_id] if job.run_id in known else next(new)) for job in jobs]
    elif old_ids != [job.run_id for job in jobs]:
        raise UserError(
            f"{folder} holds another sweep ({len(old_ids)} run{'' if len(old_ids) == 1 else 's'}); "
            "choose another name, or --extend to add these runs to it, or --fresh to replace it"
        )
    own = {job.run_id for job in jobs}
    done = _in_parts(usable) | (_in_tables(folder, jobs) if has_tables else set())
    others = [entry for entry in earlier if entry["run_id"] not in own]
    todo = [job for job in jobs if job.run_id not in done]
    return Plan(folder, jobs, todo, asked, usable, others, before, extend=extend)


def _in_parts(begun: Unfinished | None) -> set[str]:
    return {run_id for part in begun.parts if not part.failed for run_id in part.run_ids} if begun is not None else set()


def _in_tables(folder: Path, jobs: list[Run]) -> set[str]:
    """Return the runs that need not be run again: not failed, all of their rows there, their snapshot too."""
    runs = read_table(folder, "runs")
    runs = runs[runs["status"] != "failed"]
    done = set(runs["run_id"]).intersection(*(FileSource(folder, name).runs for name in TABLES))
    ends = dict(zip(runs["run_id"], runs["diverged_at_step"], strict=True))
    for job in jobs:
        wanted = job.record.snapshot
        end = ends.get(job.run_id)
        reached = end is None or pd.isna(end) or wanted is None or wanted <= end  # a diverged run has none behind its end
        if wanted is not None and reached and not (folder / snapshot_name(job.run_id)).is_file():
            done.discard(job.run_id)
    return done
