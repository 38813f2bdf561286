"""From the jobs of a sweep to its results folder: what is done is skipped, what finishes is kept."""

import hashlib
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from bpcore.arrays import FloatArray
from experiments.config.run import Run
from experiments.errors import UserError
from experiments.store.assembling import FileSource
from experiments.store.columns import TABLES
from experiments.store.folder import PARTS, is_results
from experiments.store.locks import locked
from experiments.store.parts import Content, Part, snapshot_name, write_part
from experiments.store.provenance import describe
from experiments.store.reading import Finished, read_provenance, read_table
from experiments.store.settling import Unfinished, discard_parts, has_leftovers, recover, settle, unfinished, write_manifest
from experiments.store.tables import Tables
from experiments.sweep.executors.local import Executor, Serial
from experiments.sweep.tile import failed, run_tile
from experiments.sweep.tiles import cut


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


def execute(plan: Plan, command: list[str], progress: bool = True) -> tuple[Tables, bool]:
    """Run what is to be done and write the tables; an interrupt keeps what has finished.

    Finished tiles are kept as parts from which the tables are made at the end, so that a folder holds the old results or
    the new ones, and a process that is killed loses the tiles it was computing. Where nothing is to be done, nothing is written.

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
    if plan.todo or has_leftovers(plan.folder):
        with locked(plan.folder):
            recover(plan.folder)
            plan = _again(plan)
            if plan.todo or plan.begun is not None:
                return _execute(plan, command, progress)
    return Finished(plan.folder, read_table(plan.folder, "runs")), False


def _again(old: Plan) -> Plan:
    """Plan again, now that nobody else writes: another process may just have done it all."""
    return plan(old.asked, old.folder, old.fresh, old.extend)


def _execute(plan: Plan, command: list[str], progress: bool) -> tuple[Tables, bool]:
    started = time.monotonic()
    parts = _begin(plan)
    manifest = describe(plan.jobs, plan.earlier, plan.provenance, command, len(plan.todo))
    manifest |= {"replaces": plan.replaces, "committing": False}
    interrupted = False
    kept = bool(parts) or (is_results(plan.folder) and not plan.replaces)
    try:
        write_manifest(plan.folder, manifest)
        for part in _parts(plan, len(manifest["made_by"]) - 1, progress):
            parts.append(part)
    except KeyboardInterrupt:
        interrupted = True
        if plan.replaces or not (parts or kept):
            discard_parts(plan.folder)
            raise
    except UserError as error:
        raise _told(error, plan, parts, kept) from error
    manifest["made_by"][-1]["wall_seconds"] = round(time.monotonic() - started, 3)
    try:
        return Finished(plan.folder, settle(plan.folder, manifest, parts)), interrupted
    except UserError as error:
        raise _told(error, plan, parts, kept) from error


def _told(error: UserError, plan: Plan, parts: list[Part], kept: bool) -> UserError:
    """Add to what could not be written what is kept; where that is nothing, leave nothing."""
    if not parts:
        if not kept:
            discard_parts(plan.folder)
        return error
    count = sum(len(part.runs) for part in parts)
    return UserError(f"{error}; {count} finished run{'' if count == 1 else 's'} kept, the same command resumes")


def _begin(plan: Plan) -> list[Part]:
    """Make the folder of the parts ready, and return those that count."""
    begun = plan.begun
    if begun is None:
        if (stale := unfinished(plan.folder)) is not None and stale.damaged:
            _tell_damaged(stale)
        discard_parts(plan.folder)
    try:
        (plan.folder / PARTS).mkdir(exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to {plan.folder}: {error.strerror or error}; choose another results_dir") from error
    if begun is None:
        return []
    _tell_damaged(begun)
    for path in [*(path for path, _ in begun.damaged), *(part.path for part in begun.parts if part.failed)]:
        path.unlink(missing_ok=True)
    return [part for part in begun.parts if not part.failed]


def _tell_damaged(begun: Unfinished) -> None:
    for _, reason in begun.damaged:
        print(f"gradstab: warning: {reason}; its runs are run again", file=sys.stderr)


def _parts(plan: Plan, invocation: int, progress: bool) -> Iterator[Part]:
    """Yield each tile's part as it finishes, with a bar on stderr."""
    if not plan.todo:
        return
    keep = _Keep(plan.folder / PARTS, invocation)
    if len(plan.todo) == 1:
        yield _one(plan.todo[0], keep, progress)
        return
    bar = tqdm(total=len(plan.todo), unit="run", file=sys.stderr, disable=None if progress else True, leave=False, dynamic_ncols=True)
    with bar:
        for part in _compute(plan.todo, keep):
            bar.update(len(part.runs))
            yield part


@dataclass(frozen=True)
class _Keep:
    """Compute a tile and write its part, in whichever process.

    Args:
        folder: of the parts.
        invocation: which entry of the sweep's makers this is.
    """

    folder: Path
    invocation: int

    def __call__(self, compute: Callable[..., Content], *args: Any) -> Part:
        return write_part(self.folder, compute(*args), self.invocation)


def _one(job: Run, keep: _Keep, progress: bool) -> Part:
    """Compute a single run in this process, with a bar over its steps."""
    total = job.steps + 1
    bar = tqdm(total=total, unit="step", file=sys.stderr, disable=None if progress else True, leave=False, dynamic_ncols=True)

    def on_step(step: int, loss: FloatArray) -> None:
        bar.set_postfix_str(f"loss {loss[0]:.3g}", refresh=False)
        bar.update()

    with bar:
        error = (future := Serial().submit(keep, run_tile, [job], on_step)).exception()
        return _give_up(job, keep, error) if error is not None else future.result()


def _compute(jobs: list[Run], keep: _Keep) -> Iterator[Part]:
    """Compute tiles in the sweep's executor; the runs of a tile that fails or whose worker dies are tried again, each alone."""
    make = jobs[0].executor
    executor: Executor = make(len(jobs))
    waiting = deque(cut(jobs, executor.workers))
    if len(waiting) < executor.workers:
        executor.close()
        executor = make(len(waiting))
    running: dict[Future[Any], list[Run]] = {}
    suspects: set[str] = set()
    try:
        while waiting or running:
            while waiting and len(running) < executor.slots:
                tile = waiting.popleft()
                running[executor.submit(keep, run_tile, tile)] = tile
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                tile = running.pop(future)
                error = future.exception()
                if error is None:
                    yield future.result()
                elif len(tile) == 1 and (tile[0].run_id in suspects or not isinstance(error, BrokenExecutor)):
                    yield _give_up(tile[0], keep, error)
                elif isinstance(error, UserError):
                    raise error
                else:
                    suspects.update(job.run_id for job in tile)
                    waiting.extendleft([job] for job in reversed(tile))
    finally:
        executor.close(kill=bool(waiting or running))


def _give_up(job: Run, keep: _Keep, error: BaseException) -> Part:
    """Return the part of a run that failed even alone.

    Raises:
        UserError: it was not the run that failed, but the writing of what it left.
    """
    if isinstance(error, UserError):
        raise error
    if isinstance(error, BrokenExecutor):
        reason = f"its worker process died twice: {error}"
    else:
        reason = f"{type(error).__name__}: {error}\n{''.join(traceback.format_exception(error))}"
    return keep(failed, job, reason)
