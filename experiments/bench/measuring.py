"""Run the measurements, each in a process of its own, in alternation and on one core."""

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from experiments.bench.shapes import PEER_STACKS, Shape

ROOT = Path(__file__).parents[2]
BUILT_IN = Path(__file__).parent / "peers.py"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
XLA_ONE_THREAD = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}
PEERS = ("torch", "torch-stacked", "jax")

Row = dict[str, Any]


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process, and those that it starts, on one core."""
    if not hasattr(os, "sched_setaffinity"):  # not on every system; the figures are then less steady
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _run(command: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """Run a command that prints JSON in its last line; what it says instead stands under `error`."""
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **ONE_THREAD, **environment}, check=False)
    lines = done.stdout.strip().splitlines()
    try:
        result = json.loads(lines[-1])
    except (IndexError, json.JSONDecodeError):
        return {"error": (done.stderr.strip().splitlines() or ["no output"])[-1]}
    return result if isinstance(result, dict) else {"error": f"printed {result!r}"}


def measure_engine(shape: Shape, rounds: int) -> dict[str, Any]:
    """Return what `experiments.bench.engine` measures."""
    return _module("engine", [*shape.options(), "--rounds", str(rounds)])


def _module(name: str, options: list[str]) -> dict[str, Any]:
    return _run([sys.executable, "-m", f"experiments.bench.{name}", *options], _with_project())


def _with_project() -> dict[str, str]:
    """Return the variable by which a process finds this project, wherever it was started."""
    return {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])}


def measure_breakdown(shapes: list[Shape]) -> list[Row]:
    """Return what `experiments.bench.breakdown` measures, one row a shape."""
    with one_core():
        return [asdict(shape) | _module("breakdown", shape.options()) for shape in tqdm(shapes, unit="shape", disable=None)]


def measure_peer(peer: str, shape: Shape, runs: int, script: Path, peer_path: str | None) -> dict[str, Any]:
    """Return what a peer script measures: `us_per_run_step`, or why not."""
    work = shape.depth * shape.width * shape.width * shape.batch
    steps = max(4, min(200, int(2e8 / (work * runs))))
    environment = XLA_ONE_THREAD | ({"PYTHONPATH": peer_path} if peer_path else {})
    return _run([sys.executable, str(script), "--peer", peer, *shape.options(), "--steps", str(steps), "--runs", str(runs)], environment)


def measure_shapes(shapes: list[Shape], rounds: int, engine: bool, peers: bool, script: Path, peer_path: str | None) -> list[Row]:
    """Measure shapes, the engine and its peers in turn.

    Args:
        shapes: to measure.
        rounds: how often each is measured; the best counts.
        engine: whether the engine is measured.
        peers: whether the peers are.
        script: peers' script.
        peer_path: where the peers are installed, if not beside this project.

    Returns:
        One row a shape: its sizes, engine, gemms, full and each peer in µs per run and step; None where there is none.
    """
    rows = []
    with one_core():
        for shape in tqdm(shapes, unit="shape", disable=None):
            row: Row = {**asdict(shape), "notes": []}
            for _ in range(rounds):
                if engine:
                    _keep_best(row, measure_engine(shape, 5))
                for peer in PEERS if peers else ():
                    for runs in (1,) if peer == "torch" else PEER_STACKS[shape.width]:
                        result = measure_peer(peer, shape, runs, script, peer_path)
                        _keep_best(
                            row, {peer: result.get("us_per_run_step"), **{k: result[k] for k in ("missing", "error") if k in result}}
                        )
            rows.append(row)
    return rows


def _keep_best(row: Row, result: dict[str, Any]) -> None:
    for name, value in result.items():
        if name in ("missing", "error"):
            note = f"not installed: {value}" if name == "missing" else str(value)
            row["notes"] += [note] if note not in row["notes"] else []
        elif value is None or row.get(name) is None:
            row[name] = row.get(name) if value is None else value
        else:
            row[name] = min(row[name], value)


def measure_end_to_end(quick: bool) -> list[Row]:
    """Time whole sweeps from the command line, and the same sweeps' composition alone.

    Returns:
        One row a sweep: runs, record, seconds, seconds of `--dry-run` (start, composition and validation), peak memory of the
        largest process in MB.
    """
    rows = []
    sweeps = [(100, "light"), (1000, "light"), (1000, "full")] + ([] if quick else [(10000, "light")])
    for runs, record in tqdm(sweeps, unit="sweep", disable=None):
        with tempfile.TemporaryDirectory() as folder:
            overrides = ["-m", "depth=4", "width=30", "batch_size=32", "steps=50", f"record={record}", f"seed=range({runs})"]
            command = [sys.executable, "-m", "experiments", "run", *overrides, f"results_dir={folder}", "name=bench"]
            environment = {**os.environ, **_with_project()}
            planning, _, _ = _timed([*command, "--dry-run"], environment)
            seconds, code, peak = _timed(command, environment)
            rows.append({"runs": runs, "record": record, "seconds": seconds, "planning": planning, "peak_mb": peak, "exit": code})
    return rows


def _timed(command: list[str], environment: dict[str, str]) -> tuple[float, int, float]:
    """Run a command; return its seconds, exit code, and the peak of its largest process in MB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - start, process.returncode, usage.ru_maxrss / 1024


def ratio(numerator: float | None, denominator: float | None) -> float:
    """Return a ratio, NaN where one of the two was not measured."""
    return math.nan if not numerator or not denominator else numerator / denominator
