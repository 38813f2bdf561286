"""Write the tables of a results folder as CSV files, or print its runs as JSON.

gradstab export results/x --csv
gradstab export results/x --json
"""

import argparse
from functools import partial
from pathlib import Path

from experiments.errors import UserError
from experiments.report.terminal import run_rows
from experiments.store.files import atomically
from experiments.store.reading import load
from experiments.text.plain import as_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("results", type=Path, help="a results folder")
    parser.add_argument("--csv", action="store_true", help="write runs.csv, layers.csv, steps.csv, histograms.csv")
    parser.add_argument("--json", action="store_true", help="print the runs as JSON")
    parser.add_argument("--output", type=Path, help="folder of the CSV files; RESULTS/csv by default")


def execute(args: argparse.Namespace) -> int:
    """Export; CSV where nothing else is asked for.

    Returns:
        0.

    Raises:
        UserError: no results folder, or the output cannot be written.
    """
    results = load(args.results)
    if args.json:
        print(as_json(run_rows(results)))
    if args.csv or not args.json:
        folder: Path = args.output or args.results / "csv"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot make {folder}: {error.strerror or error}; choose another with --output") from error
        for name, frame in results.items():
            path = folder / f"{name}.csv"
            atomically(path, partial(frame.to_csv, index=False))
            if not args.json:
                print(path)
    return 0
