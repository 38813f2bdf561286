"""Run the measurements, each in a process of its own, in alternation and on one core."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from experiments.bench.shapes import PEER_STACKS, Shape

ROOT = Path(__file__).parents[2]
BUILT_IN = Path(__file__).parent / "peers.py"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
ONE_COMPILER = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1", "TORCHINDUCTOR_COMPILE_THREADS": "1"}
PEERS = ("jax", "torch", "torch-stacked", "torch-compiled")
"""In this order they are measured; what takes longest to compile comes last."""

ROUNDS, QUICK_ROUNDS = 5, 3
"""How often the engine alternates with the products in one process."""
LIMIT_S = 600.0
"""Seconds that a peer may take, compilation included, before it is left out."""
QUICK_S = 160.0
"""Seconds that all shapes of a quick measurement may take together."""

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


def run_json(command: list[str], environment: dict[str, str], limit: float | None = None) -> dict[str, Any]:
    """Run a command that prints JSON in its last line.

    Args:
        command: to run.
        environment: variables besides those of this process.
        limit: seconds after which it is ended, with all that it started.

    Returns:
        What it printed; what it said instead stands under `error`.
    """
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **ONE_THREAD, **environment},
        start_new_session=True,  # so that compilers that it starts can be ended with it
    )
    try:
        out, said = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        return {"error": f"took longer than {limit:.0f} s"}
    finally:
        _end(process)
    lines = out.strip().splitlines()
    try:
        result = json.loads(lines[-1])
    except (IndexError, json.JSONDecodeError):
        return {"error": (said.strip().splitlines() or ["no output"])[-1]}
    return result if isinstance(result, dict) else {"error": f"printed {result!r}"}


def _end(process: subprocess.Popen[str]) -> None:
    """End a process that still runs, with all of its session."""
    if process.poll() is not None:
        return
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate()


def _module(name: str, options: list[str]) -> dict[str, Any]:
    return run_json([sys.executable, "-m", f"experiments.bench.{name}", *options], with_project())


def with_project() -> dict[str, str]:
    """Return the variable by which a process finds this project, wherever it was started."""
    return {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])}


def measure_engine(shape: Shape, rounds: int) -> dict[str, Any]:
    """Return what `experiments.bench.engine` measures."""
    return _module("engine", [*shape.options(), "--rounds", str(rounds)])


def measure_peer(peer: str, shape: Shape, runs: int, script: Path, peer_path: str | None, limit: float) -> dict[str, Any]:
    """Return what a peer script measures within a time limit: `us_per_run_step`, or why not."""
    work = shape.depth * shape.width * shape.width * shape.batch
    steps = max(4, min(200, int(2e8 / (work * runs))))
    environment = ONE_COMPILER | ({"PYTHONPATH": peer_path} if peer_path else {})
    command = [sys.executable, str(script), "--peer", peer, *shape.options(), "--steps", str(steps), "--runs", str(runs)]
    return run_json(command, environment, limit)


def tell(line: str) -> None:
    """Say on stderr what was measured, as soon as it was."""
    print(line, file=sys.stderr, flush=True)


def measure_shapes(
    shapes: list[Shape], rounds: int, engine: bool, peers: bool, script: Path, peer_path: str | None, quick: bool = False
) -> list[Row]:
    """Measure shapes, the engine and its peers in turn, and tell each figure as it is known.

    Args:
        shapes: to measure.
        rounds: how often each is measured; the best counts.
        engine: whether the engine is measured.
        peers: whether the peers are.
        script: peers' script.
        peer_path: where the peers are installed, if not beside this project.
        quick: whether one stack is enough of each peer, and all is to be done in `QUICK_S` seconds; what is too slow is left out.

    Returns:
        One row a shape: its sizes, and engine, gemms, full, variants and each peer in µs per run and step; None where there is none.
    """
    rows, began = [], time.monotonic()
    with one_core():
        for number, shape in enumerate(shapes, 1):
            row: Row = {**asdict(shape), "notes": []}
            end = began + QUICK_S * number / len(shapes) if quick else math.inf
            for _ in range(rounds):
                if engine:
                    _keep(row, shape, measure_engine(shape, QUICK_ROUNDS if quick else ROUNDS))
                for peer, runs in _stacked(shape, quick) if peers else ():
                    limit = min(LIMIT_S, end - time.monotonic())
                    if limit > 1:
                        result = measure_peer(peer, shape, runs, script, peer_path, limit)
                    else:
                        result = {"error": "left out, since --quick has no time left for it"}
                    _keep(row, shape, _named(peer, shape, result))
            rows.append(row)
    return rows


def _stacked(shape: Shape, quick: bool) -> Iterator[tuple[str, int]]:
    """Yield each peer with the stacks that it is tried with."""
    for peer in PEERS:
        stacks = PEER_STACKS[shape.width]
        for runs in (1,) if peer == "torch" else stacks[-1:] if quick else stacks:
            yield peer, runs


def _named(peer: str, shape: Shape, result: dict[str, Any]) -> dict[str, Any]:
    """Return a peer's result under its name, and why there is none as a note."""
    why = f"{peer}: not installed: {result['missing']}" if "missing" in result else None
    if "error" in result:
        why = f"{peer} at {shape.label}: {result['error']}"
    return {peer: result.get("us_per_run_step")} | ({"error": why} if why else {})


def _keep(row: Row, shape: Shape, result: dict[str, Any]) -> None:
    """Tell a result, and keep of each figure the best."""
    figures = [f"{name} {value:.4g} µs" for name, value in result.items() if isinstance(value, float)]
    if figures:
        tell(f"{shape.label}: {', '.join(figures)}")
    for name, value in result.items():
        if name == "error":
            if value not in row["notes"]:
                tell(value)
                row["notes"].append(value)
        elif value is None or row.get(name) is None:
            row[name] = row.get(name) if value is None else value
        else:
            row[name] = min(row[name], value)


def measure_breakdown(shapes: list[Shape]) -> list[Row]:
    """Return what `experiments.bench.breakdown` measures, one row a shape, and tell each as it is known."""
    rows = []
    with one_core():
        for shape in shapes:
            rows.append(asdict(shape) | _module("breakdown", shape.options()))
            tell(f"{shape.label}: {rows[-1].get('error') or ', '.join(f'{name} {value:.4g} µs' for name, value in _times(rows[-1]))}")
    return rows


def _times(row: Row) -> list[tuple[str, float]]:
    return [(name, value) for name, value in row.items() if isinstance(value, float)]


def ratio(numerator: float | None, denominator: float | None) -> float:
    """Return a ratio, NaN where one of the two was not measured."""
    return math.nan if not numerator or not denominator else numerator / denominator
