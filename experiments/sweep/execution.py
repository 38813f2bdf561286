"""Doing what is planned: tiles are computed, each leaves a part, and the parts become the tables of a results folder."""

import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from bpcore.arrays import FloatArray
from experiments.config.run import Run
from experiments.errors import UserError
from experiments.store.folder import PARTS, is_results
from experiments.store.locks import locked
from experiments.store.parts import Part, read_part
from experiments.store.provenance import describe
from experiments.store.reading import Finished, read_table
from experiments.store.settling import Unfinished, discard_parts, has_leftovers, recover, settle, unfinished, write_manifest
from experiments.store.tables import Tables
from experiments.sweep.executors.contract import Ending, Executor, Failed, Lost, Task
from experiments.sweep.executors.serial import Serial
from experiments.sweep.keeping import Keep
from experiments.sweep.plan import Plan, plan
from experiments.sweep.tiles import cut

_LOSSES = 2
"""After so many losses a run is given up: what it does ends its worker."""


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
    manifest = describe(plan.runs, plan.earlier, plan.provenance, command, len(plan.todo))
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
    count = sum(len(part.run_ids) for part in parts)
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
    keep = Keep((plan.folder / PARTS).absolute(), invocation)
    if len(plan.todo) == 1:
        yield from _one(plan.todo[0], keep, progress)
        return
    bar = tqdm(total=len(plan.todo), unit="run", file=sys.stderr, disable=None if progress else True, leave=False, dynamic_ncols=True)
    executor: Executor = plan.todo[0].executor
    tiles = cut(plan.todo, executor.workers(len(plan.todo)))
    with bar:
        for part in _compute(tiles, executor, keep):
            bar.update(len(part.run_ids))
            yield part


def _one(run: Run, keep: Keep, progress: bool) -> Iterator[Part]:
    """Compute a single run in this process, with a bar over its steps."""
    total = run.steps + 1
    bar = tqdm(total=total, unit="step", file=sys.stderr, disable=None if progress else True, leave=False, dynamic_ncols=True)

    def on_step(step: int, loss: FloatArray) -> None:
        bar.set_postfix_str(f"loss {loss[0]:.3g}", refresh=False)
        bar.update(step + 1 - bar.n)

    with bar:
        yield from _compute([[run]], Serial(), keep, on_step)


def _compute(tiles: list[list[Run]], executor: Executor, keep: Keep, *args: Any) -> Iterator[Part]:
    """Yield the parts of tiles; the runs of a tile that fails or is lost are tried again, each alone."""
    waiting = deque(tiles)
    running: dict[Task, list[Run]] = {}
    losses = Counter[str]()
    crew = executor.start(len(tiles))
    try:
        while waiting or running:
            while waiting and len(running) < crew.slots:
                tile = waiting.popleft()
                task = keep.task(tile, *args)
                running[task] = tile
                crew.submit(task)
            for ending in crew.wait():
                tile = running.pop(ending.task)
                left = _left(ending, keep.path(tile))
                if isinstance(left, Part):
                    yield left
                    continue
                if isinstance(left, Lost):
                    losses.update(run.run_id for run in tile)
                if len(tile) > 1 or (isinstance(left, Lost) and losses[tile[0].run_id] < _LOSSES):
                    waiting.extendleft([run] for run in reversed(tile))
                else:
                    yield keep.give_up(tile[0], left)
    finally:
        if waiting or running:
            crew.cancel()
        crew.close()


def _left(ending: Ending, path: Path) -> Part | Failed | Lost:
    """Return the part that a task left, whatever became of its worker; or why there is none.

    Raises:
        UserError: it was not the run that failed, but the writing of what it left.
    """
    if isinstance(ending, Failed):
        if isinstance(ending.error, UserError):
            raise ending.error
        return ending
    try:
        return read_part(path)
    except UserError as error:
        return ending if isinstance(ending, Lost) else Lost(ending.task, str(error))
