"""What a stack of runs leaves behind, and each run of it."""

from dataclasses import dataclass

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.layers import Layers


@dataclass
class Final:
    """Hold what every run of a stack came to, (R,) each; NaN where a run diverged, but for the loss.

    Args:
        loss: J on all training examples after the last update; that of the last row where the run diverged.
        data_loss: the same without the λ term.
        accuracy: on all training examples.
        test_loss: J on the test examples without the λ term, in evaluation mode.
        test_accuracy: on the test examples, in evaluation mode.
    """

    loss: FloatArray
    data_loss: FloatArray
    accuracy: FloatArray
    test_loss: FloatArray
    test_accuracy: FloatArray


@dataclass
class RunRecord:
    """Hold what one run left.

    Args:
        layers: column -> values; `step` and `layer` among them, sorted by both.
        steps: column -> values, sorted by `step`.
        histograms: column -> values (step, layer, quantity, bin_low, bin_high, count), empty bins left out.
        snapshot: array name -> array, where one was asked for.
        diverged_at_step: first step whose loss or gradients are not finite, or None.
        final_loss: J on all training examples at the end; that of the last row where the run diverged.
        final_accuracy: on all training examples, NaN where the run diverged.
        test_accuracy: in evaluation mode, NaN without test data.
    """

    layers: dict[str, Array]
    steps: dict[str, Array]
    histograms: dict[str, Array]
    snapshot: dict[str, Array] | None = None
    diverged_at_step: int | None = None
    final_loss: float = float("nan")
    final_accuracy: float = float("nan")
    test_accuracy: float = float("nan")


@dataclass
class StackRecord:
    """Hold what a stack of R runs left: whole-stack arrays, from which tables are made at once.

    Args:
        steps: (S,) int, ascending: the steps at which any run has a row.
        present: (R, S) bool, which rows a run has; a diverged run's end where it left the finite numbers.
        layers: column -> (R, S, L+1), float64 or bool, layer 0 first; undefined where no row is present.
        step_columns: column -> (R, S), float64 or bool; undefined where no row is present.
        histograms: column -> 1-D values (run, step, layer, quantity, bin_low, bin_high, count), sorted by run, step and
            layer; `run` is the position in the stack; empty bins are left out.
        snapshots: per run, array name -> array, where one was asked for.
        diverged_at_step: per run, the first step whose loss or gradients are not finite, or None.
        nonfinite: per run, the quantity and layer that left the finite numbers first, or None.
        final: what every run came to.
        start: the parameters before any update.
    """

    steps: Array
    present: Array
    layers: dict[str, Array]
    step_columns: dict[str, Array]
    histograms: dict[str, Array]
    snapshots: list[dict[str, Array] | None]
    diverged_at_step: list[int | None]
    nonfinite: list[tuple[str, int] | None]
    final: Final
    start: Layers

    def of(self, run: int) -> RunRecord:
        """Return the record of one run, by its position in the stack."""
        chosen = self.present[run]
        steps = self.steps[chosen]
        width = next(iter(self.layers.values())).shape[-1]
        layers: dict[str, Array] = {"step": np.repeat(steps, width), "layer": np.tile(np.arange(width), steps.size)}
        layers |= {name: values[run, chosen].ravel() for name, values in self.layers.items()}
        table = {"step": steps} | {name: values[run, chosen] for name, values in self.step_columns.items()}
        own = self.histograms["run"] == run
        histograms = {name: values[own] for name, values in self.histograms.items() if name != "run"}
        return RunRecord(
            layers,
            table,
            histograms,
            self.snapshots[run],
            self.diverged_at_step[run],
            float(self.final.loss[run]),
            float(self.final.accuracy[run]),
            float(self.final.test_accuracy[run]),
        )
