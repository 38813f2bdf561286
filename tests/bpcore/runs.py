"""Small trainings for the tests of the step loop and of what it records."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from bpcore.arrays import FloatArray
from bpcore.dropout import Dropout
from bpcore.engine.batches import Examples
from bpcore.measure.recording import Recording
from bpcore.measure.records import RunRecord
from bpcore.network import Network
from bpcore.schedules import Schedule
from bpcore.training import RunSettings, StackSettings, train_stack
from tests.bpcore.cases import ACTIVATIONS, LOSSES, NORMALIZATIONS
from tests.oracles import Array, catalogue

CLIPS, OPTIMIZERS, INITIALIZERS, SCHEDULES = catalogue("clip"), catalogue("optimizer"), catalogue("init"), catalogue("schedule")


def train(
    settings: StackSettings, runs: list[RunSettings], examples: Examples, on_step: Callable[[int, FloatArray], None] | None = None
) -> list[RunRecord]:
    """Train a stack and return one record a run."""
    record = train_stack(settings, runs, examples, on_step)
    return [record.of(run) for run in range(len(runs))]


def examples(m: int = 12, test: bool = False) -> Examples:
    """Return m examples with 4 features in 3 classes, no two alike."""
    generator = np.random.default_rng(11)
    x, labels = generator.standard_normal((4, m)), generator.integers(0, 3, m)
    y = np.eye(3)[:, labels]
    if not test:
        return Examples(x, y)
    return Examples(x, y, generator.standard_normal((4, 7)), np.eye(3)[:, generator.integers(0, 3, 7)])


def stack(
    activation: str = "tanh",
    normalization: str = "none",
    loss: str = "softmax_cross_entropy",
    depth: int = 2,
    width: int = 5,
    optimizer: str = "sgd",
    clip: str = "none",
    batch_size: int | None = None,
    steps: int = 6,
    dtype: str = "float64",
    schedule: Schedule | None = None,
    dropout: float = 0.0,
    **recording: Any,
) -> StackSettings:
    """Return settings by names of the catalogue."""
    functions = ACTIVATIONS[activation](), ACTIVATIONS["identity"](), LOSSES[loss](), NORMALIZATIONS[normalization]()
    network = Network((4, *(width,) * depth, 3), *functions, dropout=Dropout(dropout))
    rules = OPTIMIZERS[optimizer](), CLIPS[clip]()
    return StackSettings(network, *rules, batch_size, steps, dtype, Recording(**recording), schedule or SCHEDULES["constant"]())


def run(seed: int = 0, init: str = "fan_in", scale: float = 1.0, lr: float = 0.1, **settings: Any) -> RunSettings:
    """Return one run's settings."""
    return RunSettings(seed, INITIALIZERS[init](scale=scale, bias_std=0.1), lr, **settings)


def train_one(settings: StackSettings, one: RunSettings | None = None, data: Examples | None = None) -> RunRecord:
    """Train a single run."""
    return train(settings, [one or run()], data or examples())[0]


def snapshots(settings: StackSettings, one: RunSettings, steps: range, data: Examples | None = None) -> list[dict[str, Array]]:
    """Return everything of a run at each of the steps; what comes after a step does not change it."""
    result = []
    for step in steps:
        record = train_one(replace(settings, steps=step, recording=replace(settings.recording, snapshot=step)), one, data)
        assert record.snapshot is not None
        result.append(record.snapshot)
    return result


def differences(one: RunRecord, other: RunRecord) -> list[str]:
    """Return the names of what is not bit-identical in two records."""
    names = []
    for table in ("layers", "steps", "histograms", "snapshot"):
        left, right = getattr(one, table) or {}, getattr(other, table) or {}
        names += [f"{table}.{key}" for key in left.keys() ^ right.keys()]
        for key in left.keys() & right.keys():
            numeric = left[key].dtype.kind == "f"
            if left[key].dtype != right[key].dtype or not np.array_equal(left[key], right[key], equal_nan=numeric):
                names.append(f"{table}.{key}")
    for field in ("diverged_at_step", "final_loss", "final_accuracy", "test_accuracy"):
        left, right = getattr(one, field), getattr(other, field)
        if left != right and not (left is not None and right is not None and np.isnan(left) and np.isnan(right)):
            names.append(field)
    return names
