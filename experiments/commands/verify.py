"""Run a sweep again from its record and compare every number, bit for bit.

gradstab verify results/overview
gradstab verify results/overview --sample 20
"""

import argparse
import math
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from experiments.compose.folders import add_config_dir, config_dir_flags
from experiments.config.files import choice
from experiments.config.identity import ARITHMETIC_VERSION
from experiments.errors import UserError
from experiments.store.comparing import COUNTED, Difference, Pair, differences
from experiments.store.folder import require_results
from experiments.store.provenance import differs
from experiments.store.reading import read_provenance, read_table
from experiments.sweep.execution import execute as execute_plan
from experiments.sweep.numerics import ensure
from experiments.sweep.plan import plan
from experiments.sweep.restore import recorded_runs
from experiments.text.numbers import count, number
from experiments.text.plain import as_json
from experiments.text.quoting import quote

MAX_ULPS = 1e6
"""Where numpy or the BLAS kernel is another one, sums are made in another order, and training makes the difference grow."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", help="a results folder")
    parser.add_argument("--sample", type=int, metavar="N", help="only N of its runs; which ones follows from their identities")
    parser.add_argument(
        "--max-ulps",
        type=float,
        default=MAX_ULPS,
        metavar="U",
        help=f"largest difference in units in the last place that passes under another numpy or BLAS kernel (default {number(MAX_ULPS)}); "
        "under the same one, none does",
    )
    parser.add_argument("--json", action="store_true", help="print the differences as JSON")
    add_config_dir(parser)


def execute(args: argparse.Namespace) -> int:
    """Run again, compare, print.

    Returns:
        0 if the numbers are the same, or as near as another machine can be expected to come; else 1.

    Raises:
        UserError: bad input.
    """
    config_dir_flags(args.config_dir)
    folder = Path(args.folder)
    if args.sample is not None and args.sample < 1:
        raise UserError(f"`--sample` must be an integer ≥ 1, got {quote(args.sample)}; leave it out to verify all runs")
    if not args.max_ulps >= 0:
        raise UserError(f"`--max-ulps` must be a number ≥ 0, got {quote(args.max_ulps)}")
    require_results(folder)
    provenance = read_provenance(folder / "provenance.json")
    places = {"name": "again", "results_dir": ".", "executor": choice("executor", "processes")}
    runs = recorded_runs(folder, places, args.sample)
    if not runs:
        raise UserError(f"{folder} holds no runs; there is nothing to verify")
    ensure(runs[0].numerics)
    other = differs(provenance)
    version = provenance.get("arithmetic_version")
    if version != ARITHMETIC_VERSION:
        other = f"the results are of version {version} of the core's arithmetic, this is version {ARITHMETIC_VERSION}"
    recorded = read_table(folder, "runs").set_index("job")["run_id"]
    pairs = [Pair(recorded[run.index], run.run_id, run.dtype) for run in runs]
    runs = [replace(run, index=index) for index, run in enumerate(runs)]
    with tempfile.TemporaryDirectory(prefix="gradstab-verify-") as scratch:
        again = Path(scratch) / "again"
        _, interrupted = execute_plan(plan(runs, again), ["gradstab", "verify", str(folder)])
        if interrupted:
            raise KeyboardInterrupt
        found = differences(folder, again, pairs, version)
    return _report(folder, len(runs), found, other, args)


def _report(folder: Path, runs: int, found: list[Difference], other: str | None, args: argparse.Namespace) -> int:
    beyond = [difference for difference in found if _matters(difference, other, args.max_ulps)]
    if args.json:
        entries = [{"table": d.table, "column": d.column, "values": d.values, "of": d.of, "ulps": d.ulps} for d in found]
        print(as_json({"folder": folder, "runs": runs, "maker": other, "differences": entries, "verified": not beyond}))
        return 1 if beyond else 0
    if other is not None:
        print(f"gradstab: {other}; differences up to {number(args.max_ulps, 6)} ULP are to be expected", file=sys.stderr)
    for difference in found:
        print(difference)
    if not found:
        print(f"{folder}: {count(runs, 'run')} made again, every bit the same")
    elif beyond:
        expected = "no difference" if other is None else f"no difference beyond {number(args.max_ulps, 6)} ULP"
        print(f"{folder}: {count(runs, 'run')} made again, {count(len(beyond), 'column')} differ; expected {expected}")
    else:
        worst = max((d.ulps for d in found if _matters(d, other, 0.0) and not math.isnan(d.ulps)), default=0.0)
        print(f"{folder}: {count(runs, 'run')} made again, the same within {number(worst, 6)} ULP")
    return 1 if beyond else 0


def _matters(difference: Difference, other: str | None, bound: float) -> bool:
    if other is None:
        return True
    if difference.table == "histograms":
        return False
    if difference.column in COUNTED:
        return not math.isfinite(difference.ulps)  # a count on one side and none on the other
    return math.isnan(difference.ulps) or difference.ulps > bound
