"""What a sweep will cost, before it runs."""

import json
import os
import time
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from experiments.config import Config, Job, build_cached
from experiments.runner import Plan
from experiments.tile import network_of, run_one

_PROBE_STEPS = 2
_BYTES_PER_LAYER_ROW = 60.0
_BYTES_PER_HISTOGRAM_ROW = 6.0


def _shape_key(config: Config) -> str:
    """Return what runs that can be stacked have in common: sizes, kinds, batch, steps, dtype, data, recording."""
    kinds = {group: config[group]["name"] for group in ("activation", "normalization", "loss", "optimizer", "clip")}
    scalars = {key: config[key] for key in ("depth", "width", "output_activation", "batch_size", "steps", "dtype")}
    return json.dumps([kinds, scalars, config["data"], config["record"]], sort_keys=True)


def multiplications(config: Config) -> float:
    """Return the multiplications of one step of a run: three products per layer, and some thirty per entry of z."""
    dataset = build_cached(config["data"])
    sizes = network_of(config, dataset).sizes
    batch = config["batch_size"] or dataset.x.shape[1]
    products = sum(a * b for a, b in pairwise(sizes))
    return float(batch * (3 * products + 30 * sum(sizes)))


def _seconds_per_multiplication(jobs: list[Job]) -> float:
    """Time the first steps of the job of median size."""
    job = sorted(jobs, key=lambda job: multiplications(job.config))[len(jobs) // 2]
    config = {**job.config, "record": {**job.config["record"], "snapshot": None}}

    def seconds(steps: int) -> float:
        start = time.perf_counter()
        run_one(replace(job, config={**config, "steps": steps}))
        return time.perf_counter() - start

    seconds(0)  # imports and data
    per_step: float = max(seconds(_PROBE_STEPS) - seconds(0), 1e-6) / _PROBE_STEPS
    return per_step / multiplications(config)


def estimate(plan: Plan) -> dict[str, Any]:
    """Estimate the cost of a plan: time from a short probe, memory and disk from the sizes.

    Args:
        plan: of a sweep.

    Returns:
        runs, done, stacks (sets of runs of one shape), seconds, memory_mb (per worker), disk_mb.
    """
    todo = plan.todo
    result = {"folder": str(plan.folder), "runs": len(plan.jobs), "done": len(plan.jobs) - len(todo)}
    if not todo:
        return result | {"stacks": 0, "seconds": 0.0, "memory_mb": 0.0, "disk_mb": 0.0}
    stacks = Counter(_shape_key(job.config) for job in todo)
    rate = _seconds_per_multiplication(todo)
    workers = 1 if todo[0].config["executor"]["name"] == "serial" else min(len(todo), os.cpu_count() or 1)
    work = sum(multiplications(job.config) * (job.config["steps"] + 1) for job in todo)
    memory = max(_working_set(job.config) for job in todo)
    disk = sum(_disk(job.config) for job in todo)
    seconds = work * rate / workers
    return result | {
        "stacks": len(stacks),
        "seconds": round(seconds, 2),
        "memory_mb": round(memory / 2**20, 1),
        "disk_mb": round(disk / 2**20, 2),
    }


def _working_set(config: Config) -> float:
    """Return bytes of a run's arrays: z, h, a, δ per layer, parameters with gradients and increments, and the data."""
    dataset = build_cached(config["data"])
    sizes = network_of(config, dataset).sizes
    batch = config["batch_size"] or dataset.x.shape[1]
    entries = 5 * batch * sum(sizes) + 4 * sum(a * b for a, b in pairwise(sizes))
    return float(entries * np.dtype(config["dtype"]).itemsize + 2 * dataset.x.nbytes)


def _disk(config: Config) -> float:
    rows = (config["depth"] + 2) * (1 + config["steps"] // config["record"]["every"])
    size: float = _BYTES_PER_LAYER_ROW * rows + _BYTES_PER_HISTOGRAM_ROW * 2 * 3 * 40 * (config["depth"] + 1)
    return size


def describe_plan(plan: Plan, as_json: bool) -> str:
    """Return the estimate as text or JSON."""
    cost = estimate(plan)
    if as_json:
        return json.dumps(cost, indent=2)
    return (
        f"{cost['folder']}: {cost['runs']} runs, {cost['done']} of them done, in {cost['stacks']} stacks of equal shape\n"
        f"about {cost['seconds']:.3g} s, {cost['memory_mb']:.3g} MB of arrays per worker, {cost['disk_mb']:.3g} MB on disk"
    )
