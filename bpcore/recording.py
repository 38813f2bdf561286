"""What a stack of runs leaves behind: rows per step and layer, histograms, snapshots."""

from dataclasses import dataclass, field

import numpy as np

from bpcore import instruments
from bpcore.arrays import Array, FloatArray
from bpcore.layers import Key, Layers
from bpcore.mlp import Network, Trace
from bpcore.norms import norm

DELTA_COLUMNS = ("delta_norm", "delta_mean_norm", "delta_rms", "zero")
"""What is measured of δ; the input gradient δ^0 has these alone."""

PARAMETER_COLUMNS = ("weight_grad_norm", "bias_grad_norm", "weight_norm", "update_ratio")
FULL_COLUMNS = ("z_mean", "z_var", "a_mean", "a_var", "saturated", "dead")
LAYER_COLUMNS = DELTA_COLUMNS + PARAMETER_COLUMNS + FULL_COLUMNS
STEP_COLUMNS = ("loss", "accuracy", "grad_norm", "grad_norm_clipped", "clipped", "sharpness")

HISTOGRAM_BINS: dict[str, tuple[float, float, float]] = {
    "z": (-10.0, 10.0, 0.2),
    "a": (-4.0, 4.0, 0.05),
    "log10_abs_delta": (-330.0, 310.0, 0.5),
}
"""Quantity: (lower edge, upper edge, width) of its fixed bins; what lies outside is counted beyond the edges."""


@dataclass(frozen=True)
class Recording:
    """Choose what is recorded.

    Args:
        every: rows stand at steps 0, every, 2·every, … and at the last.
        full: whether the costly columns stand in every row, and not in the first and last alone.
        snapshot: the step at which everything is kept, or None.
        sharpness: whether the largest Hessian eigenvalue is computed at each row.
    """

    every: int = 1
    full: bool = False
    snapshot: int | None = None
    sharpness: bool = False


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


def measure_layers(
    network: Network, params: Layers, trace: Trace, delta: dict[int, Array], gradient_norms: dict[Key, FloatArray], full: bool
) -> dict[str, FloatArray]:
    """Measure every layer of every run at one step.

    Args:
        network: the architecture.
        params: before the update.
        trace: of the forward pass.
        delta: δ^l for l = 0…L.
        gradient_norms: (kind, layer) -> norm of the gradient before clipping, (R,).
        full: whether FULL_COLUMNS and `zero` are measured too.

    Returns:
        Column -> (R, L+1), layer 0 first; NaN where a column does not apply.
    """
    L = network.L
    columns = {name: np.full((delta[L].shape[0], L + 1), np.nan) for name in LAYER_COLUMNS}
    for l in range(L + 1):
        columns["delta_norm"][:, l] = instruments.delta_norm(delta[l])
        columns["delta_rms"][:, l] = columns["delta_norm"][:, l] / np.sqrt(delta[l].shape[-2])
        if full:
            columns["zero"][:, l] = instruments.zero(delta[l])
        if l == 0:
            if not network.normalized(1):  # else it is W¹ᵀ times a mean that is zero by construction
                columns["delta_mean_norm"][:, l] = instruments.delta_mean_norm(delta[l])
            continue
        columns["weight_grad_norm"][:, l] = gradient_norms["W", l]
        columns["bias_grad_norm"][:, l] = gradient_norms["b", l]
        if not network.normalized(l):
            columns["delta_mean_norm"][:, l] = gradient_norms["b", l]  # BP3: ∂J/∂b is the mean of δ
        columns["weight_norm"][:, l] = norm(params.W[l])
        if full:
            columns["z_mean"][:, l] = instruments.mean(trace.z[l])
            columns["z_var"][:, l] = instruments.variance(trace.z[l])
            columns["a_mean"][:, l] = instruments.mean(trace.a[l])
            columns["a_var"][:, l] = instruments.variance(trace.a[l])
            columns["saturated"][:, l] = instruments.saturated(trace.h[l], network.phi(l))
            columns["dead"][:, l] = instruments.dead(trace.a[l])
    return columns


def _bin(quantity: str, values: Array) -> tuple[FloatArray, FloatArray, Array]:
    """Count values in the fixed bins of a quantity; NaN is counted in a bin with NaN edges."""
    low, high, width = HISTOGRAM_BINS[quantity]
    size = round((high - low) / width)
    index = np.clip(np.floor((values - low) / width), -1, size)
    present, counts = np.unique(index, return_counts=True, equal_nan=True)
    lower = np.where(present < 0, -np.inf, low + width * present)
    upper = np.where(present >= size, np.inf, low + width * (present + 1))
    return lower, upper, counts


def count_histograms(step: int, run: int, trace: Trace, delta: dict[int, Array]) -> dict[str, Array]:
    """Count z, a and log10|δ| of every layer of one run.

    Args:
        step: the step the counts belong to.
        run: index on the run axis.
        trace: of the forward pass.
        delta: δ^l for l = 1…L at least.

    Returns:
        Column -> values, occupied bins only.
    """
    parts: dict[str, list[Array]] = {name: [] for name in ("step", "layer", "quantity", "bin_low", "bin_high", "count")}
    for l in trace.z:
        magnitudes = np.abs(delta[l][run].astype(np.float64))
        for quantity, values in (("z", trace.z[l][run]), ("a", trace.a[l][run]), ("log10_abs_delta", np.log10(magnitudes))):
            low, high, counts = _bin(quantity, values.astype(np.float64).ravel())
            parts["step"].append(np.full(counts.size, step))
            parts["layer"].append(np.full(counts.size, l))
            parts["quantity"].append(np.full(counts.size, quantity, dtype=object))
            parts["bin_low"].append(low)
            parts["bin_high"].append(high)
            parts["count"].append(counts.astype(np.int64))
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def take_snapshot(
    run: int, params: Layers, trace: Trace, delta: dict[int, Array], gradients: Layers, x: Array, y: Array
) -> dict[str, Array]:
    """Copy everything of one run's step, so that another framework can recheck it.

    Args:
        run: index on the run axis.
        params: before the update.
        trace: of the forward pass.
        delta: δ^l.
        gradients: before clipping, with the λ term.
        x: the batch.
        y: its targets.

    Returns:
        Name -> array: x, y and per layer W b gamma beta z a delta dW db dgamma dbeta.
    """

    def own(array: Array) -> Array:
        return np.array(array[run if array.shape[0] > 1 else 0])

    arrays = {"x": own(x), "y": own(y)}
    for (kind, l), array in params.items():
        arrays[f"{kind}{l}"] = own(array)
    for (kind, l), array in gradients.items():
        arrays[f"d{kind}{l}"] = own(array)
    for l in trace.z:
        arrays[f"z{l}"], arrays[f"a{l}"], arrays[f"delta{l}"] = own(trace.z[l]), own(trace.a[l]), own(delta[l])
    return arrays


@dataclass
class Recorder:
    """Gather the rows of a stack, step by step, and hand them out run by run.

    Args:
        runs: R.
        layers: L.
    """

    runs: int
    layers: int
    _steps: list[int] = field(default_factory=list)
    _masks: list[Array] = field(default_factory=list)
    _layer_rows: list[dict[str, FloatArray]] = field(default_factory=list)
    _step_rows: list[dict[str, Array]] = field(default_factory=list)
    _histograms: dict[int, list[dict[str, Array]]] = field(default_factory=dict)

    def add(self, step: int, mask: Array, layer_row: dict[str, FloatArray], step_row: dict[str, Array]) -> None:
        """Add one step's rows for the runs in the mask, (R,) bool."""
        self._steps.append(step)
        self._masks.append(mask)
        self._layer_rows.append(layer_row)
        self._step_rows.append(step_row)

    def add_histograms(self, run: int, counts: dict[str, Array]) -> None:
        """Add the histograms of one run at one step."""
        self._histograms.setdefault(run, []).append(counts)

    def record(self, run: int) -> RunRecord:
        """Return the tables of one run."""
        chosen = [index for index, mask in enumerate(self._masks) if mask[run]]
        steps = np.array([self._steps[index] for index in chosen], dtype=np.int64)
        width = self.layers + 1
        layers: dict[str, Array] = {
            "step": np.repeat(steps, width),
            "layer": np.tile(np.arange(width), len(chosen)),
        }
        for name in LAYER_COLUMNS:
            layers[name] = np.concatenate([self._layer_rows[index][name][run] for index in chosen])
        layers["finite"] = np.isfinite(layers["delta_norm"])
        table: dict[str, Array] = {"step": steps}
        for name in STEP_COLUMNS:
            table[name] = np.array([self._step_rows[index][name][run] for index in chosen])
        parts = self._histograms[run]
        histograms = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        return RunRecord(layers, table, histograms)
