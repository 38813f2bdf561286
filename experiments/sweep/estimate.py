"""What a sweep will cost, before it runs."""

import time
from dataclasses import replace
from typing import Any

import numpy as np
import psutil

from experiments.config.run import Run
from experiments.errors import UserError
from experiments.store.columns import LAYERS
from experiments.sweep.executors.contract import Executor
from experiments.sweep.plan import Plan
from experiments.sweep.tile import run_tile
from experiments.sweep.tiles import cut, multiplications, stacks_of, work
from experiments.text import plain
from experiments.text.numbers import count, number
from experiments.text.quoting import shortened

_PROBE_STEPS = (2, 8)
"""Both have the costly first and last rows, so that their difference is the cost of the rows in between."""

_BYTES_PER_LAYER_ROW = 60.0
_BYTES_PER_HISTOGRAM_ROW = 6.0


def _seconds_per_multiplication(tile: list[Run]) -> float:
    """Time the first steps of a tile."""
    record = {**tile[0].config["record"], "snapshot": None}

    def seconds(steps: int) -> float:
        runs = [replace(run, config={**run.config, "steps": steps, "record": record}) for run in tile]
        start = time.perf_counter()
        run_tile(runs)
        return time.perf_counter() - start

    few, more = _PROBE_STEPS
    seconds(few)  # imports and data
    short, long = (min(seconds(steps) for _ in range(3)) for steps in (few, more))
    # On a busy machine the longer probe can come out shorter; all of its time is then the bound to take.
    per_step: float = (long - short) / (more - few) if long > short else long / (more + 1)
    return per_step / multiplications(tile[0]) / len(tile)


def estimate(plan: Plan) -> dict[str, Any]:
    """Estimate the cost of a plan: time from a short probe, memory and disk from the sizes.

    Args:
        plan: of a sweep.

    Returns:
        runs, done, stacks (sets of runs of one shape), tiles (what a worker computes at a time), workers, seconds,
        memory_mb (per worker), disk_mb.
    """
    todo = plan.todo
    result = {"folder": str(plan.folder), "runs": len(plan.runs), "done": len(plan.runs) - len(todo)}
    if not todo:
        return result | {"stacks": 0, "tiles": 0, "workers": 0, "seconds": 0.0, "memory_mb": 0.0, "disk_mb": 0.0}
    executor: Executor = todo[0].executor
    tiles = cut(todo, executor.workers(len(todo)))
    workers = executor.workers(len(tiles))
    by_size = sorted(tiles, key=lambda tile: multiplications(tile[0]))
    rate = _seconds_per_multiplication(by_size[len(tiles) // 2])
    memory = max(sum(_working_set(run) for run in tile) for tile in tiles)
    disk = sum(_disk(run) for run in todo)
    seconds = sum(work(run) for run in todo) * rate / workers
    return result | {
        "stacks": stacks_of(todo),
        "tiles": len(tiles),
        "workers": workers,
        "seconds": float(f"{seconds:.3g}"),
        "memory_mb": round(memory / 2**20, 1),
        "disk_mb": round(disk / 2**20, 2),
    }


def _working_set(run: Run) -> float:
    """Return bytes of a run's arrays: z, h, a, δ per layer, parameters with gradients and increments, data and rows."""
    arrays = (5 * run.m * run.units + 4 * run.weights) * np.dtype(run.dtype).itemsize
    return float(arrays + 2 * run.facts.x_nbytes + 8 * len(LAYERS) * _rows(run))


def _rows(run: Run) -> int:
    return (run.L + 1) * (2 + run.steps // run.record.every)


def check_memory(plan: Plan) -> None:
    """Refuse runs that cannot fit into the memory that this machine has free.

    Args:
        plan: of a sweep.

    Raises:
        UserError: naming the largest run's need.
    """
    free = psutil.virtual_memory().available
    for run in plan.todo:
        need = _working_set(run)
        if need > free:
            place = shortened(" ".join(run.overrides))
            raise UserError(
                f"a run needs about {number(need / 2**30)} GiB and {number(free / 2**30)} GiB are free ({place}); "
                "lower depth, width, batch_size or steps, or raise record.every"
            )


def _disk(run: Run) -> float:
    size: float = _BYTES_PER_LAYER_ROW * _rows(run) + _BYTES_PER_HISTOGRAM_ROW * 2 * 3 * 40 * run.L
    return size + (_working_set(run) if run.record.snapshot is not None else 0.0)


def describe_plan(plan: Plan, as_json: bool) -> str:
    """Return the estimate as text or JSON."""
    cost = estimate(plan)
    if as_json:
        return plain.as_json(cost)
    return (
        f"{cost['folder']}: {count(cost['runs'], 'run')}, {cost['done']} of them done, "
        f"in {count(cost['stacks'], 'stack')} of equal shape, cut into {count(cost['tiles'], 'tile')}\n"
        f"about {number(cost['seconds'])} s, {number(cost['memory_mb'])} MB of arrays per worker, {number(cost['disk_mb'])} MB on disk"
    )
