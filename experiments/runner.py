"""From the jobs of a sweep to its results folder: what is done is skipped, what finishes is kept."""

import hashlib
import math
import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, field, replace
from operator import methodcaller
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from bpcore.arrays import FloatArray
from experiments import store
from experiments.config import Job, build
from experiments.errors import UserError
from experiments.executors import Executor, Processes, Serial
from experiments.provenance import describe
from experiments.store import Tables
from experiments.tile import failed, run_one

Outcome = tuple[Tables, bytes | None]


@dataclass(frozen=True)
class Plan:
    """Hold what an invocation is to do.

    Args:
        folder: results folder.
        jobs: of the whole sweep.
        todo: those that are not done yet.
        kept: tables of what is done, or None.
        earlier: provenance entries of runs in the folder that are not of this sweep.
        provenance: of the results in the folder, where they are added to.
        replaces: whether the folder holds results that are kept until the new ones are whole.
    """

    folder: Path
    jobs: list[Job]
    todo: list[Job]
    kept: Tables | None = field(repr=False)
    earlier: list[dict[str, Any]] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict, repr=False)
    replaces: bool = False


def default_name(jobs: list[Job], experiment: str | None) -> str:
    """Derive a folder name from the definition of a sweep, so that the same command finds its own results.

    Args:
        jobs: of the sweep.
        experiment: the chosen experiment, or None.

    Returns:
        experiment-, sweep- or run- and 8 hexadecimal digits.
    """
    digest = hashlib.sha256("".join(job.run_id for job in jobs).encode()).hexdigest()[:8]
    return f"{experiment or ('sweep' if len(jobs) > 1 else 'run')}-{digest}"


def folder_of(jobs: list[Job], experiment: str | None) -> Path:
    """Return the results folder of a sweep."""
    first = jobs[0].config
    return Path(first["results_dir"]) / (first["name"] or default_name(jobs, experiment))


def plan(jobs: list[Job], folder: Path, fresh: bool = False, extend: bool = False) -> Plan:
    """Find out what is done already.

    Args:
        jobs: of the sweep.
        folder: its results folder, which need not exist.
        fresh: whether results of before are replaced.
        extend: whether the runs are added to those of another sweep.

    Returns:
        The plan.

    Raises:
        UserError: the folder holds another sweep, and neither `fresh` nor `extend` was given.
    """
    if not ((folder / "provenance.json").is_file() and store.is_results(folder)):
        return Plan(folder, jobs, jobs, None)
    if fresh:
        return Plan(folder, jobs, jobs, None, replaces=True)
    old = store.load(folder)
    earlier: list[dict[str, Any]] = old.provenance["sweep"]
    old_ids = [entry["run_id"] for entry in earlier]
    if extend:
        new = iter(range(len(old_ids), len(old_ids) + len(jobs)))  # a run keeps its place; new ones go behind
        places = {job.run_id: old_ids.index(job.run_id) if job.run_id in old_ids else next(new) for job in jobs}
        jobs = [replace(job, index=places[job.run_id]) for job in jobs]
    elif old_ids != [job.run_id for job in jobs]:
        raise UserError(
            f"{folder} holds another sweep ({len(old_ids)} run{'' if len(old_ids) == 1 else 's'}); "
            "choose another name, or --extend to add these runs to it, or --fresh to replace it"
        )
    own = {job.run_id for job in jobs}
    done = _finished(old, jobs)
    known = done & (own | set(old_ids))
    keep = Tables(*(frame[frame["run_id"].isin(known)] for frame in (old.runs, old.layers, old.steps, old.histograms)))
    todo = [job for job in jobs if job.run_id not in done]
    others = [entry for entry in earlier if entry["run_id"] not in own]
    return Plan(folder, jobs, todo, keep if len(keep.runs) else None, others, old.provenance)


def _finished(old: store.Results, jobs: list[Job]) -> set[str]:
    """Return the runs that need not be run again: not failed, all of their rows there, their snapshot too."""
    runs = old.runs[old.runs["status"] != "failed"]
    done = set(runs["run_id"]) & set(old.layers["run_id"]) & set(old.steps["run_id"])
    ends = dict(zip(runs["run_id"], runs["diverged_at_step"], strict=True))
    places = [dict(zip(frame["run_id"], frame["job"], strict=True)) for frame in (runs, old.layers, old.steps, old.histograms)]
    for job in jobs:
        if any(known.get(job.run_id) != job.index for known in places):  # tables of two sweeps, by a kill between their renames
            done.discard(job.run_id)
        wanted = job.config["record"]["snapshot"]
        end = ends.get(job.run_id)
        reached = end is None or pd.isna(end) or wanted is None or wanted <= end  # a diverged run has none behind its end
        if wanted is not None and reached and not (old.path / _snapshot(job)).is_file():
            done.discard(job.run_id)
    return done


def _snapshot(job: Job) -> str:
    return f"snapshot_{job.run_id}.npz"


def execute(plan: Plan, command: list[str], progress: bool = True) -> tuple[Tables, bool]:
    """Run what is to be done and write the tables; an interrupt keeps what has finished.

    All files are written under temporary names and get their own together, so that a folder holds the old results or
    the new ones. Where nothing is to be done, nothing is written.

    Args:
        plan: of this invocation.
        command: the command line, for provenance.
        progress: whether a bar is shown on stderr, where that is a terminal.

    Returns:
        The tables of all finished runs, and whether the work was interrupted.

    Raises:
        UserError: the results cannot be written.
        KeyboardInterrupt: interrupted with nothing to keep, or before the results of before could be replaced.
    """
    if plan.kept is not None and not plan.todo:
        return store.collect([plan.kept]), False
    store.prepare(plan.folder)
    started = time.monotonic()
    parts = [plan.kept] if plan.kept is not None else []
    staging = store.Staging(plan.folder)
    interrupted = False
    try:
        for job, (tables, snapshot) in _outcomes(plan.todo, progress):
            parts.append(tables)
            if snapshot is not None:
                staging.add(_snapshot(job), methodcaller("write_bytes", snapshot))
    except KeyboardInterrupt:
        interrupted = True
    if interrupted and (plan.replaces or not parts):
        staging.discard()
        _remove_if_empty(plan.folder)
        raise KeyboardInterrupt
    tables = store.collect(parts)
    provenance = describe(plan.jobs, plan.earlier, plan.provenance, command, len(plan.todo), time.monotonic() - started)
    store.stage(staging, tables, provenance)
    staging.commit()
    _remove_stale_snapshots(plan)
    return tables, interrupted


def _remove_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()


def _remove_stale_snapshots(plan: Plan) -> None:
    known = {*(job.run_id for job in plan.jobs), *(entry["run_id"] for entry in plan.earlier)}
    for path in plan.folder.glob("snapshot_*.npz"):
        if path.stem.removeprefix("snapshot_") not in known:
            path.unlink()


def _outcomes(jobs: list[Job], progress: bool) -> Iterator[tuple[Job, Outcome]]:
    """Yield each job's outcome as it finishes, with a bar on stderr."""
    if len(jobs) == 1:
        yield jobs[0], _one(jobs[0], progress)
        return
    bar = tqdm(total=len(jobs), unit="run", file=sys.stderr, disable=None if progress else True, leave=False, dynamic_ncols=True)
    with bar:
        for job, outcome in _compute(jobs):
            row = outcome[0].runs.iloc[0]
            loss = row["final_loss"]
            bar.set_postfix_str(f"loss {loss:.3g}" if not math.isnan(loss) else str(row["status"]), refresh=False)
            bar.update()
            yield job, outcome


def _one(job: Job, progress: bool) -> Outcome:
    """Compute a single run in this process, with a bar over its steps."""
    total = job.config["steps"] + 1
    bar = tqdm(total=total, unit="step", file=sys.stderr, disable=None if progress else True, leave=False, dynamic_ncols=True)

    def on_step(step: int, loss: FloatArray) -> None:
        bar.set_postfix_str(f"loss {loss[0]:.3g}", refresh=False)
        bar.update()

    with bar:
        return _outcome(job, Serial().submit(run_one, job, on_step))


def _compute(jobs: list[Job]) -> Iterator[tuple[Job, Outcome]]:
    """Compute jobs in the sweep's executor; where a worker dies, what was under way is tried again, each job alone."""
    waiting = list(reversed(jobs))
    while waiting:
        executor: Executor = build(waiting[0].config["executor"])(len(waiting))
        running: dict[Future[Any], Job] = {}
        suspects: list[Job] = []
        try:
            while (waiting or running) and not suspects:
                while waiting and len(running) < executor.slots:
                    job = waiting.pop()
                    running[executor.submit(run_one, job)] = job
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    job = running.pop(future)
                    if isinstance(future.exception(), BrokenExecutor):
                        suspects.append(job)
                    else:
                        yield job, _outcome(job, future)
        finally:
            executor.close(kill=bool(running or suspects))
        for job in [*suspects, *(running.values() if suspects else ())]:
            yield job, _alone(job)


def _alone(job: Job) -> Outcome:
    """Try a job in a worker of its own; if that dies too, the job is what kills it."""
    executor = Processes(1)
    try:
        return _outcome(job, executor.submit(run_one, job))
    finally:
        executor.close(kill=True)


def _outcome(job: Job, future: "Future[Any]") -> Outcome:
    try:
        outcome: Outcome = future.result()
    except BrokenExecutor as error:
        return failed(job, f"its worker process died twice: {error}"), None
    except Exception as error:
        return failed(job, f"{type(error).__name__}: {error}\n{''.join(traceback.format_exception(error))}"), None
    return outcome
