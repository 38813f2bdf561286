"""From the jobs of a sweep to its results folder: what is done is skipped, what finishes is kept."""

import hashlib
import math
import sys
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from experiments import store
from experiments.config import Job, build
from experiments.errors import UserError
from experiments.executors import Executor, Processes
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
    """

    folder: Path
    jobs: list[Job]
    todo: list[Job]
    kept: Tables | None = field(repr=False)
    earlier: list[dict[str, Any]] = field(default_factory=list)


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
    record = folder / "provenance.json"
    if fresh or not (record.is_file() and store.is_results(folder)):
        return Plan(folder, jobs, jobs, None)
    old = store.load(folder)
    earlier: list[dict[str, Any]] = old.provenance.get("sweep", [])
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
    done = set(old.runs.loc[old.runs["status"] != "failed", "run_id"])
    done -= {job.run_id for job in jobs if job.config["record"]["snapshot"] is not None and not _snapshot(folder, job).is_file()}
    keep = Tables(*(frame[frame["run_id"].isin(done)] for frame in (old.runs, old.layers, old.steps, old.histograms)))
    todo = [job for job in jobs if job.run_id not in done]
    own = {job.run_id for job in jobs}
    return Plan(folder, jobs, todo, keep if len(keep.runs) else None, [entry for entry in earlier if entry["run_id"] not in own])


def _snapshot(folder: Path, job: Job) -> Path:
    return folder / f"snapshot_{job.run_id}.npz"


def execute(plan: Plan, command: list[str], progress: bool = True) -> tuple[Tables, bool]:
    """Run what is to be done and write the tables; an interrupt keeps what has finished.

    Args:
        plan: of this invocation.
        command: the command line, for provenance.
        progress: whether a bar is shown on stderr, where that is a terminal.

    Returns:
        The tables of all finished runs, and whether the work was interrupted.

    Raises:
        UserError: the results cannot be written.
    """
    store.prepare(plan.folder)
    started = time.monotonic()
    parts = [plan.kept] if plan.kept is not None else []
    interrupted = False
    try:
        for job, (tables, snapshot) in _outcomes(plan.todo, progress):
            parts.append(tables)
            if snapshot is not None:
                store.atomically(_snapshot(plan.folder, job), lambda path, content=snapshot: _write_bytes(path, content))  # type: ignore[misc]
    except KeyboardInterrupt:
        interrupted = True
    if not parts:
        _remove_if_empty(plan.folder)
        raise KeyboardInterrupt
    tables = store.collect(parts)
    store.write(plan.folder, tables, describe(plan.jobs, plan.earlier, command, time.monotonic() - started))
    return tables, interrupted


def _write_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _remove_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()


def _outcomes(jobs: list[Job], progress: bool) -> Iterator[tuple[Job, Outcome]]:
    """Yield each job's outcome as it finishes, with a bar on stderr."""
    bar = tqdm(total=len(jobs), unit="run", file=sys.stderr, disable=None if progress else True, leave=False, dynamic_ncols=True)
    with bar:
        for job, outcome in _compute(jobs):
            row = outcome[0].runs.iloc[0]
            loss = row["final_loss"]
            bar.set_postfix_str(f"loss {loss:.3g}" if not math.isnan(loss) else str(row["status"]), refresh=False)
            bar.update()
            yield job, outcome


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
