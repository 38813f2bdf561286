"""How a sweep is cut into tiles: which runs can be stacked, and how many together."""

import itertools
import json
import math
from collections.abc import Sequence

from experiments.config.keys import Config
from experiments.config.node import once
from experiments.config.run import Run
from experiments.sweep.stacking import tile_size

_SHARED_SCALARS = ("depth", "width", "output_activation", "batch_size", "steps", "dtype")
_SHARED_GROUPS = (
    "activation", "normalization", "skip", "dropout", "loss", "optimizer", "parametrization", "schedule", "clip", "data", "record",
)  # fmt: skip
_PER_RUN = {("clip", "threshold"), ("clip", "percentile")}
"""Keys of shared groups that may differ between the runs of a stack; init, lr, λ and seed are in no shared group."""

_WORTH_SHARING = 2e9
"""Multiplications that take about a second, as long as a worker takes to start."""


def shape_key(run: Run) -> str:
    """Return what runs that can be stacked have in common: sizes, functions, optimizer, batch, steps, dtype, data, recording."""
    groups = [once(run.config[group], f"shape of {group}", lambda node, group=group: _shared(group, node)) for group in _SHARED_GROUPS]  # type: ignore[misc]
    return "\n".join([*groups, *(repr(run.config[key]) for key in _SHARED_SCALARS)])


def _shared(group: str, node: Config) -> str:
    return json.dumps({key: value for key, value in node.items() if (group, key) not in _PER_RUN}, sort_keys=True)


def multiplications(run: Run) -> float:
    """Return the multiplications of one step of a run: three products per layer, and some thirty per entry of z."""
    return float(run.m * (3 * run.weights + 30 * run.units))


def work(run: Run) -> float:
    """Return the multiplications of a run."""
    return multiplications(run) * float(run.steps + 1)


def cut(runs: Sequence[Run], workers: int) -> list[list[Run]]:
    """Cut a sweep into tiles of runs that can be stacked, in the order of the first run of each.

    A tile is as large as memory allows; a sweep of few runs that take long is cut finer, so that every worker has some.

    Args:
        runs: of the sweep.
        workers: how many tiles are computed at a time.

    Returns:
        Each run in exactly one tile; a tile's runs in the sweep's order.
    """
    stacks: dict[str, list[Run]] = {}
    for run in runs:
        stacks.setdefault(shape_key(run), []).append(run)
    total = sum(work(stack[0]) * len(stack) for stack in stacks.values())
    tiles = []
    for stack in stacks.values():
        first = stack[0]
        size = tile_size(first.sizes, first.m, first.dtype)
        if workers > 1 and total > _WORTH_SHARING * workers:
            fair = total / workers / 4 / max(work(first), 1.0)  # the last tiles should end at about the same time
            size = max(1, min(size, math.ceil(fair)))
        pieces = math.ceil(len(stack) / size)
        bounds = [round(i * len(stack) / pieces) for i in range(pieces + 1)]
        tiles += [stack[low:high] for low, high in itertools.pairwise(bounds)]
    return sorted(tiles, key=lambda tile: tile[0].index)


def stacks_of(runs: Sequence[Run]) -> int:
    """Return the number of sets of runs of one shape."""
    return len({shape_key(run) for run in runs})
