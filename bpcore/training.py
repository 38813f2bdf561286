"""The step loop of one stack of runs.

A single run is a stack of one: it goes through the same code and gets the same bits. Nothing here looks from one run to
another. A run that leaves the finite numbers is recorded at that step and ends there; its neighbors go on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.clipping import Clip
from bpcore.engine.batches import Batch, Batches, Examples
from bpcore.engine.evaluation import evaluate_whole, of_runs
from bpcore.engine.rows import CENSUS, Look, Rates, Rows
from bpcore.engine.stepper import stepper_of
from bpcore.initializer import Initializer
from bpcore.measure.histograms import count_histograms
from bpcore.measure.modes import mode_columns
from bpcore.measure.overflow import first_nonfinite
from bpcore.measure.per_layer import GLANCED, costly_columns
from bpcore.measure.probes import probe_layers
from bpcore.measure.quantities import DELTA
from bpcore.measure.recorder import Recorder
from bpcore.measure.recording import Recording
from bpcore.measure.records import Final, StackRecord
from bpcore.measure.sharpness import sharpness
from bpcore.measure.snapshots import take_snapshot
from bpcore.mlp import initialize, penalized
from bpcore.network import Network
from bpcore.optimizers import Optimizer
from bpcore.schedules import Schedule, constant

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
        schedule: of the learning rates.
    """

    network: Network
    optimizer: Optimizer
    clip: Clip
    batch_size: int | None
    steps: int
    dtype: str
    recording: Recording
    schedule: Schedule = field(default_factory=constant)


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
        on_step: called with (step, loss per run) at the first step, then several times a second, and at the last; for progress.

    Returns:
        The record of the stack; runs in the order of `runs`.
    """
    with np.errstate(all="ignore"):  # overflow and NaN are recorded, not warned of
        return _Loop(settings, runs, examples).run(on_step)


_STEP_COLUMNS = ("loss", "accuracy", "grad_norm", "grad_norm_clipped", "clipped", "lr")

PIECE_SECONDS = 0.2
"""About so long goes by between two calls of `on_step`."""
_PRODUCTS_PER_SECOND = 1e10
_PRODUCTS_PER_LAYER = 1e4
"""What a layer costs besides its products, in products."""
_PIECE_BYTES = 2**25


class _Loop:
    """Go from one step at which everything is looked at to the next, training in between."""

    def __init__(self, settings: StackSettings, runs: list[RunSettings], examples: Examples) -> None:
        self.settings, self.examples = settings, examples
        self.network, self.recording, dtype = settings.network, settings.recording, settings.dtype
        seeds, initializers = [run.seed for run in runs], [run.initializer for run in runs]
        self.batches = Batches(examples, settings.batch_size, seeds, dtype)
        self.start = params = initialize(self.network, initializers, seeds, dtype, self.batches.first_for(initializers))
        each = [(run.lr, run.bias_lr_factor, run.weight_decay, run.clip_threshold) for run in runs]
        by_layer = self.network.parametrization.of_runs(self.network.sizes, initializers, settings.optimizer.scale_free)
        self.rates = rates = Rates.of(each, dtype, lambda steps: settings.schedule.factors(steps, settings.steps), by_layer)
        self.stepper = stepper_of(self.network, params, settings.optimizer, settings.clip, rates, self.batches, dtype)
        scheduled = np.append(np.arange(0, settings.steps, self.recording.every), settings.steps)
        self.recorder = Recorder(self.network, len(runs), self.batches.size, scheduled, self.recording)
        self.census = CENSUS if self.recording.full else GLANCED
        columns = self.recorder.step_columns
        columns["lr"][:] = rates.lr[:, None] * rates.factors(scheduled)
        self.rows = Rows(
            self.recorder.norms,
            columns["loss"],
            np.full_like(columns["loss"], np.nan),
            columns["accuracy"],
            columns["grad_norm"],
            columns["grad_norm_clipped"],
            columns["clipped"],
            self.recorder.block(self.census),
        )
        self.scheduled, self.weight_decay = scheduled, rates.weight_decay[:, None, None]
        self.alive = np.ones(len(runs), dtype=bool)
        self.diverged_at: list[int | None] = [None] * len(runs)
        self.last_loss = np.full(len(runs), np.nan)
        self.final = np.full((3, len(runs)), np.nan)
        self.nonfinite: list[tuple[str, int] | None] = [None] * len(runs)
        self.snapshots: list[dict[str, Array] | None] = [None] * len(runs)

    def run(self, on_step: Callable[[int, FloatArray], None] | None) -> StackRecord:
        stops = self._stops()
        for number, stop in enumerate(stops):
            loss = self._stand(stop)
            if on_step is not None:
                on_step(stop, loss)
            if stop < self.settings.steps:
                self._go(stop, stops[number + 1], on_step)
            if not self.alive.any():
                break
        return self._finish()

    def _stops(self) -> list[int]:
        """Return the steps at which everything is looked at: the first, the last, and what is asked for in between."""
        recording, steps = self.recording, self.settings.steps
        stops = {0, steps}
        if recording.snapshot is not None and recording.snapshot <= steps:
            stops.add(recording.snapshot)
        if recording.probes or recording.sharpness or recording.modes or recording.test:
            stops.update(int(step) for step in self.scheduled)
        return sorted(stops)

    def _stand(self, step: int) -> FloatArray:
        """Look at every run at a step, before its update, and return the losses."""
        steps = np.full(self.alive.size, step)
        last = step == self.settings.steps
        look = self.stepper.look(steps, self.alive, last or self.recording.test)  # who is tested has seen the batch of the step
        loss = look.rows.loss[:, 0]
        self._examine(look, steps, self.alive, self.alive & ~(np.isfinite(loss) & np.isfinite(look.rows.before[:, 0])))
        if self.recording.test and not last:
            self.stepper.forget()
        return loss

    def _go(self, first: int, last: int, on_step: Callable[[int, FloatArray], None] | None) -> None:
        """Train from one stop to the next, piece by piece."""
        length = self._piece()
        for begin in range(first, last, length):
            if not self.alive.any():
                return
            end = min(begin + length, last)
            diverged = self.stepper.train(begin, end, self.alive, self.rows, self.recording.every, self.recording.full)
            lost = diverged >= 0
            self._stood(begin, end, np.where(lost, diverged, np.where(self.alive, end, begin)))
            if lost.any():
                self._examine(self.stepper.look(diverged, lost, False), diverged, lost, lost)
            if on_step is not None:
                on_step(end - 1, self.rows.loss[:, (end - 1) // self.recording.every].copy())

    def _piece(self) -> int:
        """Return how many steps are made at once: as many as take a moment, and fit into little memory."""
        sizes, m, runs = self.network.sizes, self.batches.size, self.alive.size
        products = 3 * m * sum(n * k for n, k in pairwise(sizes)) + _PRODUCTS_PER_LAYER * self.network.L
        return int(max(1, min(PIECE_SECONDS * _PRODUCTS_PER_SECOND / products / runs, _PIECE_BYTES / (8 * m * runs))))

    def _stood(self, begin: int, end: int, until: Array) -> None:
        """Note the rows that were written between two steps, each run's below `until`."""
        steps = self.scheduled[:-1]
        present = np.zeros(self.rows.loss.shape, dtype=bool)
        present[:, :-1] = (steps >= begin) & (steps < end) & (steps < until[:, None])
        counted = np.append(steps > 0 if self.recording.full else self.recording.glances_at(steps), False) & present
        self.recorder.stand(present, _STEP_COLUMNS, dict.fromkeys(self.census, counted))

    def _examine(self, look: Look, steps: Array, chosen: Array, diverging: Array) -> None:
        """Measure what is asked for at steps that were looked at, and end the runs that diverge there.

        Args:
            look: of one step of each chosen run.
            steps: (R,), of each run.
            chosen: (R,) bool.
            diverging: (R,) bool.
        """
        batch, params, costly = self.batches(np.where(chosen, steps, steps[chosen].min())), self.stepper.parameters, None
        for step in np.unique(steps[chosen]).tolist():
            mask = chosen & (steps == step)
            first, last = step == 0, step == self.settings.steps
            due = last or step % self.recording.every == 0
            counted = mask & (diverging | first | last)
            if counted.any():
                costly = costly or costly_columns(self.network, params, look.trace, look.delta)
                self.recorder.add_columns(step, counted, costly)
                self.recorder.add_histograms(count_histograms(step, look.trace, look.delta, counted))
            if step == self.recording.snapshot:
                for run in np.flatnonzero(mask):
                    self.snapshots[run] = take_snapshot(int(run), params, look.trace, look.delta, look.gradients, batch.x, batch.y)
            ending = mask & (diverging | last)
            if ending.any():
                rows = look.rows
                rate = self.rates.lr * self.rates.factors(np.array(step))
                row = zip(_STEP_COLUMNS, (rows.loss[:, 0], *(array[:, 0] for array in rows[3:7]), rate), strict=True)
                self.recorder.add(step, ending, rows.norms[:, :, 0], dict(row))
                if last:
                    self.final = np.stack([rows.loss[:, 0], rows.accuracy[:, 0], rows.data_loss[:, 0]])
            standing = mask & (diverging | due)
            if standing.any():
                self._probe(step, standing, look, batch)
        if diverging.any():
            where = first_nonfinite(self.network, params, look.trace, look.delta, look.gradients)
            for run in np.flatnonzero(diverging):
                self.nonfinite[run] = where[run]
                self.diverged_at[run] = int(steps[run])
                self.last_loss[run] = look.rows.loss[run, 0]
            self.alive = self.alive & ~diverging

    def _probe(self, step: int, mask: Array, look: Look, batch: Batch) -> None:
        """Measure what needs a pass of its own."""
        recording, params = self.recording, self.stepper.parameters
        if recording.probes:
            delta_norm = look.rows.norms[DELTA, :, 0] / np.sqrt(self.batches.size)
            columns = probe_layers(self.network, params, batch.x, batch.y, delta_norm, recording.probes, look.trace.masks)
            self.recorder.add_columns(step, mask, columns)
        if recording.sharpness:
            self.recorder.add_step_columns(step, mask, {"sharpness": self._sharpness(batch, mask, look.trace.masks)})
        if recording.test:
            self.recorder.add_step_columns(step, mask, dict(zip(("test_loss", "test_accuracy"), self._test(mask), strict=True)))
        if recording.modes:
            self.recorder.add_step_columns(step, mask, mode_columns(params, self.examples.x, self.examples.y))

    def _sharpness(self, batch: Batch, mask: Array, masks: Mapping[int, Array]) -> FloatArray:
        values = np.full(mask.shape, np.nan)
        for own in (slice(run, run + 1) for run in np.flatnonzero(mask).tolist()):
            x, y, *dropped = (array if array.shape[0] == 1 else array[own] for array in (batch.x, batch.y, *masks.values()))
            given = of_runs(self.stepper.parameters, own), x, y, self.weight_decay[own]
            values[own] = sharpness(self.network, *given, masks=dict(zip(masks, dropped, strict=True)))
        return values

    def _test(self, asked: Array) -> tuple[FloatArray, FloatArray]:
        """Evaluate runs on the test examples, as they are before the update; NaN where there are none."""
        examples = self.examples
        if examples.test_x is None or examples.test_y is None:
            return np.full(asked.size, np.nan), np.full(asked.size, np.nan)
        return self.stepper.evaluate(examples.test_x, examples.test_y, asked)

    def _finish(self) -> StackRecord:
        """Evaluate every run that is left on all examples and on the test examples."""
        params, examples, alive = self.stepper.parameters, self.examples, self.alive
        final = Final(self.last_loss, *(np.full(alive.size, np.nan) for _ in range(4)))
        if seen := self.settings.batch_size is None and not self.network.dropout.active:  # by the last step, all examples
            final.loss[alive], final.accuracy[alive], final.data_loss[alive] = (values[alive] for values in self.final)
        elif self.network.normalization.needs_batch:
            loss_term, hits = evaluate_whole(self.network, params, self.batches.x, self.batches.y, alive)
        else:
            loss_term, hits = self.stepper.evaluate(examples.x, examples.y, alive)
        if not seen:
            final.data_loss[alive], final.accuracy[alive] = loss_term[alive], hits[alive]
            final.loss[alive] = penalized(loss_term, params, self.weight_decay)[alive]
        final.test_loss, final.test_accuracy = self._test(alive)
        return self.recorder.record(self.snapshots, self.diverged_at, self.nonfinite, final, self.start)
