"""Say what became of the runs of results folders, and why: signal, outcome, causes, verdict.

gradstab diagnose results/overview
gradstab diagnose results/a results/b --json
"""

import argparse
from pathlib import Path

from experiments.report import diagnosis
from experiments.report.terminal import describe_sweep, run_rows
from experiments.store.folder import require_results
from experiments.store.reading import load
from experiments.store.tables import Results
from experiments.sweep.diagnosing import diagnosed
from experiments.text.numbers import count
from experiments.text.plain import as_json

MOST_RUNS = 12
"""Runs that are told one by one; of more, the settings are told, over their seeds."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folders", nargs="+", metavar="FOLDER", help="a results folder")
    parser.add_argument("--runs", action="store_true", help=f"tell every run, not only where there are {MOST_RUNS} at most")
    parser.add_argument("--json", action="store_true", help="print one entry a run as JSON")


def execute(args: argparse.Namespace) -> int:
    """Read, tell.

    Returns:
        0.

    Raises:
        UserError: a folder holds no results.
    """
    folders = [Path(name) for name in args.folders]
    for folder in folders:
        require_results(folder)
    results, notes = {}, {}
    for folder in folders:
        results[str(folder)], notes[str(folder)] = diagnosed(load(folder))
    if args.json:
        print(as_json([{"folder": name, **row} for name, held in results.items() for row in run_rows(held)]))
        return 0
    for place, (name, held) in enumerate(results.items()):
        print("\n" * (place > 0) + f"{name}: {count(len(held.runs), 'run')}")
        print("\n".join([*notes[name], _told(held, args.runs)]))
    return 0


def _told(results: Results, every: bool) -> str:
    runs = results.runs
    if len(runs) > MOST_RUNS and not every:
        return describe_sweep(results)
    parts = []
    for run in runs.to_dict("records"):
        head = [] if len(runs) == 1 else [f"\nrun {run['job']}: {run['activation']}, depth {run['depth']}, seed {run['seed']}"]
        parts += [*head, *diagnosis.lines(run)]
    return "\n".join(parts)
