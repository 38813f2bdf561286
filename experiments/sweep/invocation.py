"""One invocation, from the runs that a command composed to its report: plan, cost, memory, work, what failed."""

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from experiments.config.run import Run
from experiments.store.provenance import differs
from experiments.store.tables import Tables
from experiments.sweep.estimate import check_memory, describe_plan
from experiments.sweep.execution import execute
from experiments.sweep.numerics import ensure
from experiments.sweep.plan import Plan, plan
from experiments.text.numbers import count

OK, FAILED, INTERRUPTED = 0, 1, 130


@dataclass(frozen=True)
class Invocation:
    """Say which runs are asked for, and what is to be done with them.

    Args:
        runs: of the sweep, one or more.
        folder: its results folder.
        fresh: whether results of before are replaced.
        extend: whether the runs are added to those of another sweep.
        dry_run: whether to tell what would be run, and what it would cost, and to stop.
        as_json: whether that is told as JSON.
        partial: whether what has finished is reported after an interrupt too.
    """

    runs: list[Run]
    folder: Path
    fresh: bool = False
    extend: bool = False
    dry_run: bool = False
    as_json: bool = False
    partial: bool = False


Report = Callable[[Tables, Plan], int]
"""Print, draw and write what came out; return the exit code."""

Grow = Callable[[Tables], list[Run]]
"""Tables of the runs so far -> the runs of the whole sweep, those that came before among them; the same where it is whole."""


def command_line() -> list[str]:
    """Return the command of this process as it would be typed."""
    return ["gradstab", *(shlex.quote(argument) for argument in sys.argv[1:])]


def carry_out(
    invocation: Invocation, report: Report, begin: Callable[[list[Run]], None] = lambda runs: None, grow: Grow | None = None
) -> int:
    """Run what is to be done, and report it.

    Args:
        invocation: what is asked for.
        report: called with the tables of the folder and the plan.
        begin: called with the runs, once this is the process that computes them.
        grow: what is to be run besides, once these are there, for a sweep whose runs depend on each other; None for another.

    Returns:
        What the report returns; 1 if one of the runs failed; 130 if interrupted.

    Raises:
        UserError: the folder holds another sweep, memory does not suffice, or the results cannot be written.
        KeyboardInterrupt: interrupted with nothing to keep.
    """
    ensure(invocation.runs[0].numerics)
    begin(invocation.runs)
    grows = grow is not None
    todo = plan(invocation.runs, invocation.folder, fresh=invocation.fresh, extend=invocation.extend, grows=grows)
    check_memory(todo)
    if invocation.dry_run:
        print(describe_plan(todo, as_json=invocation.as_json))
        return OK
    if todo.todo and todo.provenance and (difference := differs(todo.provenance)):
        print(f"gradstab: warning: {difference}; --fresh makes them all anew", file=sys.stderr)
    tables, interrupted = execute(todo, command_line())
    while grow is not None and not interrupted and len(runs := grow(tables)) > len(todo.runs):
        more = plan(runs, invocation.folder, extend=True)
        check_memory(more)
        tables, interrupted = execute(more, command_line())
        todo = replace(more, todo=[*todo.todo, *more.todo])
    if interrupted:
        if invocation.partial:
            report(tables, todo)
        print(f"gradstab: interrupted; {count(len(tables.runs), 'finished run')} kept, the same command resumes", file=sys.stderr)
        return INTERRUPTED
    code = report(tables, todo)
    return FAILED if _tell_failures(tables, todo) else code


def _tell_failures(tables: Tables, done: Plan) -> int:
    """Print one line for each run of this invocation that failed, and return how many there are."""
    own = tables.runs[tables.runs["run_id"].isin([run.run_id for run in done.runs])]
    failures = own[own["status"] == "failed"]
    for row in failures.to_dict("records"):
        print(f"gradstab: job {row['job']} ({row['run_id']}) failed: {str(row['error']).splitlines()[0]}", file=sys.stderr)
    return len(failures)
