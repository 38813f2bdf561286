"""Measure the engine beside the matrix products alone, PyTorch and JAX, its parts, and whole commands from start to tables.

With --only repair: how many ill nets of AutoTrainer's families are detected and repaired, beside its published figures.

gradstab bench --only engine
gradstab bench --only repair --untouched
gradstab bench --quick
gradstab bench --peers path/to/peers.py --peer-path folder/with/jax
gradstab bench --peer-path folder/with/jax > docs/performance.md
"""

import argparse
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from experiments.bench import end_to_end, measuring, tables
from experiments.bench.repair import measuring as repair
from experiments.bench.shapes import chosen
from experiments.errors import UserError
from experiments.sweep.stacking import second_level_cache
from experiments.text.plain import as_json
from experiments.text.quoting import quote

PARTS = ("engine", "peers", "breakdown", "end_to_end")
ASKED_FOR = ("repair",)
"""Parts that are measured where they are asked for alone: they measure no speed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--only", choices=(*PARTS, *ASKED_FOR), help="one part; all that measure speed by default")
    quick = "few shapes, one round, no command of more than some ten seconds; few nets to repair"
    parser.add_argument("--quick", action="store_true", help=quick)
    usual = f"{repair.OF_EACH}; {repair.QUICK} with --quick"
    parser.add_argument("--nets", type=int, metavar="N", help=f"ill nets to repair, and healthy ones, of a data set [{usual}]")
    parser.add_argument("--untouched", action="store_true", help="repair nets of the set on which nothing was chosen")
    parser.add_argument(
        "--rounds", type=int, metavar="N", help="how often each shape is measured, of which the best counts [3; 1 with --quick]"
    )
    parser.add_argument("--peers", type=Path, metavar="FILE", help="a script that measures the peers, in place of the one that is built in")
    parser.add_argument("--peer-path", metavar="FOLDER", help="where peers are installed, if not beside this project")
    parser.add_argument("--output", type=Path, default=Path("results/bench"), help="folder of bench.json and bench.md [%(default)s]")
    parser.add_argument("--json", action="store_true", help="print JSON")


def execute(args: argparse.Namespace) -> int:
    """Measure, print and write.

    Returns:
        0, whether targets are met or not; 1 if a measurement failed.

    Raises:
        UserError: the script of the peers is not there, or the output cannot be written.
    """
    script: Path = args.peers or measuring.BUILT_IN
    if not script.is_file():
        raise UserError(f"`--peers` must be a Python script, got {quote(str(script))}, which is no file; leave it out for the built-in one")
    rounds = (1 if args.quick else 3) if args.rounds is None else args.rounds
    if rounds < 1:
        raise UserError(f"`--rounds` must be an integer ≥ 1, got {quote(rounds)}")
    nets = (repair.QUICK if args.quick else repair.OF_EACH) if args.nets is None else args.nets
    if nets < 1:
        raise UserError(f"`--nets` must be an integer ≥ 1, got {quote(nets)}")
    try:
        args.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make {args.output}: {error.strerror or error}; choose another with --output") from error
    wanted = [args.only] if args.only else list(PARTS)
    result: dict[str, Any] = {"machine": _machine(), "arguments": _arguments(args)}
    if {"engine", "peers"} & set(wanted):
        result["shapes"] = measuring.measure_shapes(chosen(args.quick), rounds, True, "peers" in wanted, script, args.peer_path, args.quick)
        _write(args.output, result)  # what comes after it takes a while
    if "breakdown" in wanted:
        result["breakdown"] = measuring.measure_breakdown(chosen(args.quick))
        _write(args.output, result)
    if "end_to_end" in wanted:
        result["end_to_end"] = end_to_end.measure_end_to_end(end_to_end.chosen(args.quick))
    if "repair" in wanted:
        result["repair"] = repair.measure("untouched" if args.untouched else "first", args.output, nets)
    page = _write(args.output, result)
    print(as_json(result) if args.json else page, end="" if not args.json else "\n")
    failed = any("engine" not in row for row in result.get("shapes", ())) or any(row["exit"] for row in result.get("end_to_end", ()))
    failed = failed or any("step" not in row for row in result.get("breakdown", ()))
    return int(failed)


def _arguments(args: argparse.Namespace) -> list[str]:
    """Return what was asked for, without the places of files, which are nobody else's."""
    words = [f"--only {args.only}"] if args.only else []
    words += ["--quick"] if args.quick else []
    words += [f"--rounds {args.rounds}"] if args.rounds is not None else []
    words += [f"--nets {args.nets}"] if args.nets is not None else []
    words += ["--untouched"] if args.untouched else []
    words += ["--peers FILE"] if args.peers else []
    return [*words, *(["--peer-path FOLDER"] if args.peer_path else [])]


def _write(folder: Path, result: dict[str, Any]) -> str:
    """Write JSON and Markdown, and return the latter."""
    page = tables.document(result)
    (folder / "bench.json").write_text(as_json(result) + "\n", encoding="utf-8")
    (folder / "bench.md").write_text(page, encoding="utf-8")
    return page


def _machine() -> dict[str, Any]:
    from threadpoolctl import threadpool_info

    blas = next((f"{pool['internal_api']} {pool['version']} {pool.get('architecture', '')}" for pool in threadpool_info()), "unknown")
    return {
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "l2_kib": second_level_cache() // 1024,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": version("numba"),
        "blas": blas.strip(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())
