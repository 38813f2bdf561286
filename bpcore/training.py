"""The step loop of one stack of runs.

A single run is a stack of one: it goes through the same code and gets the same bits. Nothing here looks from one run to
another. A run that leaves the finite numbers is recorded at that step and ends there; its neighbors go on.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.clipping import Clip
from bpcore.engine.batches import Batch, Batches, Examples
from bpcore.engine.evaluation import evaluate_stack, evaluate_whole
from bpcore.engine.step import Engine, Rates
from bpcore.initializers import Initializer
from bpcore.measure.histograms import count_histograms
from bpcore.measure.modes import mode_columns
from bpcore.measure.overflow import first_nonfinite
from bpcore.measure.per_layer import costly_columns, glanced_columns
from bpcore.measure.probes import probe_layers
from bpcore.measure.quantities import DELTA, UPDATE, WEIGHT
from bpcore.measure.recorder import Recorder
from bpcore.measure.recording import Recording
from bpcore.measure.records import Final, StackRecord
from bpcore.measure.sharpness import sharpness
from bpcore.measure.snapshots import take_snapshot
from bpcore.mlp import Network, initialize, penalized
from bpcore.optimizers import Optimizer

__all__ = ["Examples", "RunSettings", "StackSettings", "train_stack"]


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


def _per_run(values: list[float], dtype: str) -> Array:
    return np.array(values, dtype=dtype).reshape(-1, 1)


def train_stack(
    settings: StackSettings,
    runs: list[RunSettings],
    examples: Examples,
    on_step: Callable[[int, FloatArray], None] | None = None,
) -> StackRecord:
    """Train a stack of runs and record what is asked for, in whole-stack arrays.

    Step k's row describes the state before update k; N updates give rows 0…N.

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
        params = initialize(self.network, [run.initializer for run in runs], [run.seed for run in runs], dtype)
        self.batches = Batches(examples, settings.batch_size, [run.seed for run in runs], dtype)
        rates = Rates(
            _per_run([run.lr for run in runs], dtype),
            _per_run([run.lr * run.bias_lr_factor for run in runs], dtype),
            _per_run([run.weight_decay for run in runs], dtype),
            _per_run([run.clip_threshold for run in runs], dtype),
        )
        self.weight_decay = _per_run([run.weight_decay for run in runs], dtype)
        self.engine = Engine(self.network, params, settings.optimizer, settings.clip, rates, self.batches.size, dtype)
        self.running = self.network.normalization.running()
        scheduled = np.append(np.arange(0, settings.steps, self.recording.every), settings.steps)
        self.recorder = Recorder(self.network, len(runs), self.batches.size, scheduled, self.recording)
        self.alive = np.ones(len(runs), dtype=bool)
        self.not_clipped = np.zeros(len(runs), dtype=bool)
        self.decays = bool(self.weight_decay.any())
        self.diverged_at: list[int | None] = [None] * len(runs)
        self.last_loss = np.full(len(runs), np.nan)
        self.final = np.full((3, len(runs)), np.nan)
        self.nonfinite: list[tuple[str, int] | None] = [None] * len(runs)
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
        engine, recording = self.engine, self.recording
        first, last = step == 0, step == self.settings.steps
        due = last or step % recording.every == 0
        batch = self.batches(step)
        loss_term = engine.forward(batch)
        if self.network.normalization.needs_batch:
            self.running.update(engine.statistics)

        regular = bool(np.isfinite(np.add.reduce(loss_term)))  # of the whole stack; runs at rest are as regular as any
        keep = first or last or recording.full or step == recording.snapshot or not regular
        measured = due or keep
        on_the_way = engine.updates_on_the_way and not keep
        engine.norms.start()
        engine.backward(batch, keep or not engine.updates_on_the_way, measured, step + 1 if on_the_way else None)
        norms = engine.finish_norms()
        loss = self._objective(loss_term, norms)
        before = engine.gradient_norm(norms)
        diverging = self.alive & ~(np.isfinite(loss) & np.isfinite(before))
        any_diverging = bool(diverging.any())
        if any_diverging and not keep:  # now δ of all layers are wanted; the parameters before the update are still there
            updates = norms[UPDATE].copy()
            engine.norms.start()
            engine.backward(batch, True, True, None)
            norms = engine.finish_norms()
            norms[UPDATE] = updates
            keep = True
        if keep:
            self._keep(step, batch, diverging)
        report = (before, before, self.not_clipped)
        if not on_the_way:
            report = engine.update(None if last else step + 1, norms)

        mask = self.alive & (diverging | due)
        if mask.any():
            if last:
                norms[UPDATE] = np.nan
            row = self._step_row(batch, regular, loss, report, mask)
            self.recorder.add(step, mask, norms, row)
            if last:
                self.final = np.stack([loss, row["accuracy"], loss_term])
            if keep:
                own = mask if recording.full or first or last else diverging
                self.recorder.add_columns(
                    step, own, costly_columns(self.network, engine.parameters.layers(), engine.trace(batch), engine.delta)
                )
            if recording.glances_at(step) and not (keep and (recording.full or last)):
                others = mask & ~diverging if keep else mask
                self.recorder.add_columns(step, others, glanced_columns(self.network, engine.trace(batch)))
            if recording.probes:
                x, delta_norm = batch.x[:, :-1], norms[DELTA] / np.sqrt(self.batches.size)
                columns = probe_layers(self.network, engine.parameters.layers(), x, batch.y, delta_norm, recording.probes)
                self.recorder.add_columns(step, mask, columns)
        if any_diverging:
            where = first_nonfinite(self.network, engine.parameters.layers(), engine.trace(batch), engine.delta, engine.gradients())
            for run in np.flatnonzero(diverging):
                self.nonfinite[run] = where[run]
                self.diverged_at[run] = step
                self.last_loss[run] = loss[run]
            self.alive &= ~diverging
        if not last:
            engine.commit()
            if any_diverging and self.alive.any():
                engine.rest(np.flatnonzero(diverging), int(np.argmax(self.alive)))
        return loss

    def _objective(self, loss_term: FloatArray, norms: FloatArray) -> FloatArray:
        """Return J = (1/m) Σ_i J_i + (λ/2) Σ_l ‖W^l‖²_F per run."""
        if not self.decays:
            return loss_term
        decay = self.weight_decay[:, 0]
        squares = np.add.reduce(norms[WEIGHT, :, 1:] ** 2, axis=1)
        return np.where(decay > 0, loss_term + 0.5 * decay * squares, loss_term)  # 0·inf is not 0

    def _keep(self, step: int, batch: Batch, diverging: Array) -> None:
        """Keep histograms and snapshots of a step whose δ and gradients are all there."""
        engine, ends = self.engine, step in (0, self.settings.steps)
        counted = self.alive & (diverging | ends)
        if counted.any():
            self.recorder.add_histograms(count_histograms(step, engine.trace(batch), engine.delta, counted))
        if step == self.recording.snapshot:
            params, gradients, trace = engine.parameters.layers(), engine.gradients(), engine.trace(batch)
            for run in np.flatnonzero(self.alive):
                self.snapshots[run] = take_snapshot(int(run), params, trace, engine.delta, gradients, trace.a[0], batch.y)

    def _step_row(
        self, batch: Batch, regular: bool, loss: FloatArray, report: tuple[FloatArray, FloatArray, Array], mask: Array
    ) -> dict[str, Array]:
        before, after, acted = report
        row: dict[str, Array] = {
            "loss": loss,
            "accuracy": self.engine.accuracy(batch, regular),
            "grad_norm": before,
            "grad_norm_clipped": after,
            "clipped": acted,
        }
        if self.recording.sharpness:
            row["sharpness"] = self._sharpness(batch, mask)
        if self.recording.test:
            row |= dict(zip(("test_loss", "test_accuracy"), self._test(mask), strict=True))
        if self.recording.modes:
            row |= mode_columns(self.engine.parameters.layers(), self.examples.x, self.examples.y)
        return row

    def _sharpness(self, batch: Batch, mask: Array) -> FloatArray:
        values = np.full(mask.shape, np.nan)
        for run in np.flatnonzero(mask):
            own = slice(int(run), int(run) + 1)
            x, y = (array if array.shape[0] == 1 else array[own] for array in (batch.x[:, :-1], batch.y))
            decay = self.weight_decay[own, :, None]
            values[run] = sharpness(self.network, self.engine.parameters.layers(own), x, y, decay)
        return values

    def _test(self, asked: Array) -> tuple[FloatArray, FloatArray]:
        """Evaluate runs on the test examples, as they are before the update; NaN where there are none."""
        examples = self.examples
        if examples.test_x is None or examples.test_y is None:
            return np.full(asked.size, np.nan), np.full(asked.size, np.nan)
        return evaluate_stack(self.network, self.engine.parameters.layers(), examples.test_x, examples.test_y, self.running, asked)

    def _finish(self) -> StackRecord:
        """Evaluate every run that is left on all examples and on the test examples."""
        params, examples, alive = self.engine.parameters.layers(), self.examples, self.alive
        count = alive.size
        final = Final(self.last_loss, *(np.full(count, np.nan) for _ in range(4)))
        if self.settings.batch_size is None:  # the last step has seen all examples
            final.loss[alive], final.accuracy[alive], final.data_loss[alive] = (values[alive] for values in self.final)
        elif self.network.normalization.needs_batch:
            loss_term, hits = evaluate_whole(self.network, self.engine.parameters.layers, self.batches.x, self.batches.y, alive)
        else:
            loss_term, hits = evaluate_stack(self.network, params, examples.x, examples.y, self.running, alive)
        if self.settings.batch_size is not None:
            final.data_loss[alive], final.accuracy[alive] = loss_term[alive], hits[alive]
            final.loss[alive] = penalized(loss_term, params, self.weight_decay[:, :, None])[alive]
        final.test_loss, final.test_accuracy = self._test(alive)
        return self.recorder.record(self.snapshots, self.diverged_at, self.nonfinite, final)
