"""The step loop of one stack of runs.

A single run is a stack of one: it goes through the same code and gets the same bits. Nothing here looks from one run to
another. A run that leaves the finite numbers is recorded at that step and ends there; its neighbors go on.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.clipping import Clip, clip_gradients, norms_of
from bpcore.curvature import sharpness
from bpcore.initializers import Initializer
from bpcore.instruments import relative_update
from bpcore.layers import Key, Layers
from bpcore.mlp import (
    Network,
    accuracy,
    backward,
    evaluate,
    forward,
    initialize,
    input_gradient,
    objective,
)
from bpcore.modes import MODE_COLUMNS, mode_columns
from bpcore.normalization import RunningStatistics
from bpcore.norms import combine
from bpcore.optimizers import Optimizer
from bpcore.probes import probe_layers
from bpcore.random import stream
from bpcore.recording import (
    FULL_COLUMNS,
    Recorder,
    Recording,
    RunRecord,
    StackRecord,
    count_histograms,
    measure_layers,
    take_snapshot,
)


@dataclass(frozen=True)
class RunSettings:
    """Set what may differ between the runs of a stack.

    Args:
        seed: ≥ 0.
        initializer: of the weights and biases.
        lr: learning rate η ≥ 0.
        bias_lr_factor: factor on η for b and β.
        weight_decay: λ ≥ 0.
        clip_threshold: c > 0; inf without clipping.
    """

    seed: int
    initializer: Initializer
    lr: float
    bias_lr_factor: float = 1.0
    weight_decay: float = 0.0
    clip_threshold: float = np.inf


@dataclass(frozen=True)
class StackSettings:
    """Set what the runs of a stack share.

    Args:
        network: the architecture.
        optimizer: the update rule.
        clip: the clipping rule; its threshold is each run's own.
        batch_size: examples a step, or None for all.
        steps: number of updates N; rows stand at steps 0…N.
        dtype: float64 or float32.
        recording: what is recorded.
    """

    network: Network
    optimizer: Optimizer
    clip: Clip
    batch_size: int | None
    steps: int
    dtype: str
    recording: Recording


@dataclass(frozen=True)
class Examples:
    """Hold the data of a stack.

    Args:
        x: (n_0, m), examples in columns.
        y: (n_L, m), targets; one-hot for classes.
        test_x: (n_0, m_test) or None.
        test_y: (n_L, m_test) or None.
    """

    x: FloatArray
    y: FloatArray
    test_x: FloatArray | None = None
    test_y: FloatArray | None = None


class _Batches:
    """Deal the batch of each step: all examples, or epochs in each run's own random order."""

    def __init__(self, examples: Examples, batch_size: int | None, seeds: list[int], dtype: str) -> None:
        self._x = np.ascontiguousarray(examples.x[None].astype(dtype))
        self._y = np.ascontiguousarray(examples.y[None].astype(dtype))
        self._size, self._seeds = batch_size, seeds
        self._m = examples.x.shape[1]
        self._epoch = -1
        self._orders: Array = np.empty((0, 0), dtype=np.int64)

    def __call__(self, step: int) -> tuple[Array, Array]:
        """Return x (R or 1, n_0, batch) and y (R or 1, n_L, batch)."""
        if self._size is None:
            return self._x, self._y
        epoch, position = divmod(step, self._m // self._size)  # the ragged last batch is dropped
        if epoch != self._epoch:
            self._epoch = epoch
            self._orders = np.stack([stream(seed, "batches", epoch).permutation(self._m) for seed in self._seeds])
        chosen = self._orders[:, position * self._size : (position + 1) * self._size]
        return self._gather(self._x, chosen), self._gather(self._y, chosen)

    @staticmethod
    def _gather(array: Array, chosen: Array) -> Array:
        return np.ascontiguousarray(np.moveaxis(array[0][:, chosen], 0, 1))

    @property
    def everything(self) -> tuple[Array, Array]:
        """Return all training examples."""
        return self._x, self._y


def _per_run(values: list[float], dtype: str) -> Array:
    return np.array(values, dtype=dtype).reshape(-1, 1, 1)


def train(
    settings: StackSettings,
    runs: list[RunSettings],
    examples: Examples,
    on_step: Callable[[int, FloatArray], None] | None = None,
) -> list[RunRecord]:
    """Train a stack of runs and record what is asked for.

    Step k's row describes the state before update k; N updates give rows 0…N.

    Args:
        settings: shared by the stack.
        runs: one entry a run.
        examples: the data.
        on_step: called with (step, loss per run) after each step's measurements, for progress.

    Returns:
        One record a run, in the order of `runs`.
    """
    record = train_stack(settings, runs, examples, on_step)
    return [record.of(run) for run in range(len(runs))]


def train_stack(
    settings: StackSettings,
    runs: list[RunSettings],
    examples: Examples,
    on_step: Callable[[int, FloatArray], None] | None = None,
) -> StackRecord:
    """Train a stack of runs and record what is asked for, in whole-stack arrays.

    Args:
        settings: shared by the stack.
        runs: one entry a run.
        examples: the data.
        on_step: called with (step, loss per run) after each step's measurements, for progress.

    Returns:
        The record of the stack; runs in the order of `runs`.
    """
    with np.errstate(all="ignore"):  # overflow and NaN are recorded, not warned of
        return _Loop(settings, runs, examples).run(on_step)


class _Loop:
    def __init__(self, settings: StackSettings, runs: list[RunSettings], examples: Examples) -> None:
        self.settings, self.examples = settings, examples
        self.network, self.recording, dtype = settings.network, settings.recording, settings.dtype
        self.params = initialize(self.network, [run.initializer for run in runs], [run.seed for run in runs], dtype)
        self.batches = _Batches(examples, settings.batch_size, [run.seed for run in runs], dtype)
        self.lr = _per_run([run.lr for run in runs], dtype)
        self.bias_lr = _per_run([run.lr * run.bias_lr_factor for run in runs], dtype)
        self.weight_decay = _per_run([run.weight_decay for run in runs], dtype)
        self.threshold = _per_run([run.clip_threshold for run in runs], dtype)
        self.state = {key: settings.optimizer.initial_state(array) for key, array in self.params.items()}
        self.running = RunningStatistics(self.network.normalization.momentum)
        scheduled = np.append(np.arange(0, settings.steps, self.recording.every), settings.steps)
        self.recorder = Recorder(len(runs), self.network.L, scheduled, bool(self.recording.probes))
        self.alive = np.ones(len(runs), dtype=bool)
        self.diverged_at: list[int | None] = [None] * len(runs)
        self.last_loss = np.full(len(runs), np.nan)
        self.snapshots: list[dict[str, Array] | None] = [None] * len(runs)

    def run(self, on_step: Callable[[int, FloatArray], None] | None) -> StackRecord:
        for step in range(self.settings.steps + 1):
            loss = self._step(step)
            if on_step is not None:
                on_step(step, loss)
            if not self.alive.any():
                break
        return self._finish()

    def _step(self, step: int) -> FloatArray:
        """Measure the state before update `step`, then make the update."""
        last = step == self.settings.steps
        x, y = self.batches(step)
        trace = forward(self.network, self.params, x)
        self.running.update(trace.statistics)
        delta, gradients = backward(self.network, self.params, trace, y, self.weight_decay)
        loss = np.asarray(objective(self.network, self.params, trace, y, self.weight_decay), dtype=np.float64)
        gradient_norms = norms_of(gradients)
        before = combine(list(gradient_norms.values()))
        clipped = clip_gradients(self.settings.clip, gradients, self.threshold, before)
        increments = gradients if last else self._increments(clipped.gradients, step)

        diverging = self.alive & ~(np.isfinite(loss) & np.isfinite(before))
        due = last or step % self.recording.every == 0
        mask = self.alive & (diverging | due)
        if mask.any():
            delta[0] = input_gradient(self.params, delta)
            ends = step == 0 or last or bool(diverging.any())
            row = measure_layers(self.network, self.params, trace, delta, gradient_norms, self.recording.full or ends)
            if not (self.recording.full or step == 0 or last):
                self._empty_costly_columns(row, ~diverging)
            if self.recording.probes:
                row |= probe_layers(self.network, self.params, x, y, row["delta_norm"], self.recording.probes)
            if not last:
                for l in self.params.W:
                    row["update_ratio"][:, l] = relative_update(increments.W[l], self.params.W[l])
            self.recorder.add(
                step,
                mask,
                row,
                {
                    "loss": loss,
                    "accuracy": accuracy(trace.a[self.network.L], y),
                    "grad_norm": clipped.before,
                    "grad_norm_clipped": clipped.after,
                    "clipped": clipped.acted,
                    "sharpness": self._sharpness(x, y, mask),
                    **self._modes(mask),
                },
            )
            counted = self.alive & (diverging | (step == 0) | last)
            if counted.any():
                self.recorder.add_histograms(count_histograms(step, trace, delta, counted))
        if step == self.recording.snapshot:
            for run in np.flatnonzero(self.alive):
                self.snapshots[run] = take_snapshot(int(run), self.params, trace, delta, gradients, x, y)

        for run in np.flatnonzero(diverging):
            self.diverged_at[run] = step
            self.last_loss[run] = loss[run]
        self.alive &= ~diverging
        if not last:
            self.params = self.params.map(lambda key, array: array + increments[key])
        return loss

    def _increments(self, gradients: Layers, step: int) -> Layers:
        def increment(key: Key, gradient: Array) -> Array:
            lr = self.bias_lr if key[0] in ("b", "beta") else self.lr
            return self.settings.optimizer.increment(gradient, self.state[key], lr, step + 1)

        return gradients.map(increment)

    @staticmethod
    def _empty_costly_columns(row: dict[str, FloatArray], runs: Array) -> None:
        for name in ("zero", *FULL_COLUMNS):
            row[name][runs] = np.nan

    def _sharpness(self, x: Array, y: Array, mask: Array) -> FloatArray:
        values = np.full(mask.shape, np.nan)
        if self.recording.sharpness:
            for run in np.flatnonzero(mask):
                own = slice(run, run + 1)
                params = self.params.map(lambda key, array, own=own: array[own])  # type: ignore[misc]
                own_x, own_y = (array if array.shape[0] == 1 else array[own] for array in (x, y))
                values[run] = sharpness(self.network, params, own_x, own_y, self.weight_decay[own])
        return values

    def _modes(self, mask: Array) -> dict[str, FloatArray]:
        if not self.recording.modes:
            return dict.fromkeys(MODE_COLUMNS, np.full(mask.shape, np.nan))
        return mode_columns(self.params, self.examples.x, self.examples.y)

    def _finish(self) -> StackRecord:
        x, y = self.batches.everything
        trace = forward(self.network, self.params, x)
        loss = np.asarray(objective(self.network, self.params, trace, y, self.weight_decay), dtype=np.float64)
        ended = np.array([step is None for step in self.diverged_at])
        return self.recorder.record(
            self.snapshots,
            self.diverged_at,
            np.where(ended, loss, self.last_loss),
            np.where(ended, accuracy(trace.a[self.network.L], y), np.nan),
            np.where(ended, self._test_accuracy(), np.nan),
        )

    def _test_accuracy(self) -> FloatArray:
        if self.examples.test_x is None or self.examples.test_y is None:
            return np.full(self.recorder.runs, np.nan)
        dtype = self.settings.dtype
        test_x, test_y = (np.ascontiguousarray(part[None].astype(dtype)) for part in (self.examples.test_x, self.examples.test_y))
        return np.asarray(accuracy(evaluate(self.network, self.params, test_x, self.running), test_y))
