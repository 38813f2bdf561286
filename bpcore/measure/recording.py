"""What a stack of runs leaves behind: rows per step and layer, histograms, snapshots."""

from dataclasses import dataclass

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.layers import Layers
from bpcore.measure import instruments
from bpcore.measure.modes import MODE_COLUMNS
from bpcore.measure.probes import PROBE_COLUMNS, unprobed
from bpcore.measure.quantities import BIAS_GRADIENT, DELTA, UPDATE, WEIGHT, WEIGHT_GRADIENT
from bpcore.mlp import Network, Trace

DELTA_COLUMNS = ("delta_norm", "delta_mean_norm", "delta_rms", "zero")
"""What is measured of δ; the input gradient δ^0 has these alone."""

PARAMETER_COLUMNS = ("weight_grad_norm", "bias_grad_norm", "weight_norm", "update_ratio")
FULL_COLUMNS = ("z_mean", "z_var", "a_mean", "a_var", "saturated", "dead")
COSTLY_COLUMNS = ("zero", *FULL_COLUMNS)
LAYER_COLUMNS = DELTA_COLUMNS + PARAMETER_COLUMNS + FULL_COLUMNS + PROBE_COLUMNS
STEP_COLUMNS = ("loss", "accuracy", "grad_norm", "grad_norm_clipped", "clipped", "sharpness", *MODE_COLUMNS)

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
        probes: of extended, gradient_cosine and a_rank, what is computed at each row.
        modes: whether the modes of a linear network are computed at each row.
    """

    every: int = 1
    full: bool = False
    snapshot: int | None = None
    sharpness: bool = False
    probes: frozenset[str] = frozenset()
    modes: bool = False


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
        layers: column -> (R, S, L+1) float64, layer 0 first; undefined where no row is present.
        step_columns: column -> (R, S), float64 or bool; undefined where no row is present.
        histograms: column -> 1-D values (run, step, layer, quantity, bin_low, bin_high, count), sorted by run, step and
            layer; `run` is the position in the stack; empty bins are left out.
        snapshots: per run, array name -> array, where one was asked for.
        diverged_at_step: per run, the first step whose loss or gradients are not finite, or None.
        final_loss: (R,), J on all training examples at the end; that of the last row where the run diverged.
        final_accuracy: (R,), on all training examples, NaN where the run diverged.
        test_accuracy: (R,), in evaluation mode, NaN without test data and where the run diverged.
    """

    steps: Array
    present: Array
    layers: dict[str, FloatArray]
    step_columns: dict[str, Array]
    histograms: dict[str, Array]
    snapshots: list[dict[str, Array] | None]
    diverged_at_step: list[int | None]
    final_loss: FloatArray
    final_accuracy: FloatArray
    test_accuracy: FloatArray

    def of(self, run: int) -> RunRecord:
        """Return the record of one run, by its position in the stack."""
        chosen = self.present[run]
        steps = self.steps[chosen]
        width = next(iter(self.layers.values())).shape[-1]
        layers: dict[str, Array] = {"step": np.repeat(steps, width), "layer": np.tile(np.arange(width), steps.size)}
        layers |= {name: values[run, chosen].ravel() for name, values in self.layers.items()}
        layers["finite"] = np.isfinite(layers["delta_norm"])
        table = {"step": steps} | {name: values[run, chosen] for name, values in self.step_columns.items()}
        own = self.histograms["run"] == run
        histograms = {name: values[own] for name, values in self.histograms.items() if name != "run"}
        return RunRecord(
            layers,
            table,
            histograms,
            self.snapshots[run],
            self.diverged_at_step[run],
            float(self.final_loss[run]),
            float(self.final_accuracy[run]),
            float(self.test_accuracy[run]),
        )


def norm_columns(network: Network, norms: FloatArray, m: int) -> dict[str, FloatArray]:
    """Return the columns that are norms, or made of them, for all steps at once.

    Args:
        network: the architecture.
        norms: (7, R, S, L+1), each step as `Norms.finish` gives it.
        m: examples in the batch.

    Returns:
        Column -> (R, S, L+1), layer 0 first; NaN where a column does not apply.
    """
    with np.errstate(all="ignore"):  # of rows that are not there, and of W = 0
        columns = {
            "delta_norm": norms[DELTA] / np.sqrt(m),
            "delta_mean_norm": norms[BIAS_GRADIENT].copy(),  # BP3: ∂J/∂b is the mean of δ
            "weight_grad_norm": norms[WEIGHT_GRADIENT],
            "bias_grad_norm": norms[BIAS_GRADIENT],
            "weight_norm": norms[WEIGHT],
            "update_ratio": norms[UPDATE] / norms[WEIGHT],
        }
    columns["delta_rms"] = columns["delta_norm"] / np.sqrt(network.sizes)
    if network.normalization.active:  # there the mean of δ is zero by construction, and W¹ᵀ times it too
        columns["delta_mean_norm"][..., : network.L if network.L > 1 else 0] = np.nan
    for name in PARAMETER_COLUMNS:
        columns[name][..., 0] = np.nan
    return columns


def costly_columns(network: Network, trace: Trace, delta: dict[int, Array]) -> dict[str, FloatArray]:
    """Measure what has to look at every entry once more.

    Args:
        network: the architecture.
        trace: of the forward pass.
        delta: δ^l for l = 0…L.

    Returns:
        COSTLY_COLUMNS -> (R, L+1), layer 0 first; NaN where a column does not apply.
    """
    columns = {name: np.full((delta[network.L].shape[0], network.L + 1), np.nan) for name in COSTLY_COLUMNS}
    for l in range(network.L + 1):
        columns["zero"][:, l] = instruments.zero(delta[l])
        if l > 0:
            columns["z_mean"][:, l] = instruments.mean(trace.z[l])
            columns["z_var"][:, l] = instruments.variance(trace.z[l])
            columns["a_mean"][:, l] = instruments.mean(trace.a[l])
            columns["a_var"][:, l] = instruments.variance(trace.a[l])
            columns["saturated"][:, l] = instruments.saturated(trace.h[l], network.phi(l))
            columns["dead"][:, l] = instruments.dead(trace.a[l])
    return columns


def _bins(quantity: str, values: Array) -> tuple[Array, Array, Array]:
    """Count the values of every run in the fixed bins of a quantity.

    Args:
        quantity: a name of HISTOGRAM_BINS.
        values: (R, n, m).

    Returns:
        (run, bin, count) of the occupied bins, sorted by run and bin: bin −1 lies below the lower edge, `size` above the
        upper, and `size + 1` holds what is not a number.
    """
    low, _, width = HISTOGRAM_BINS[quantity]
    size = _bin_count(quantity)
    position = values.astype(np.float64).reshape(values.shape[0], -1)
    position -= low
    position /= width
    np.floor(position, out=position)
    np.clip(position, -1, size, out=position)
    position[np.isnan(position)] = size + 1
    position += 1 + np.arange(values.shape[0])[:, None] * (size + 3)
    counts = np.bincount(position.astype(np.int64).ravel(), minlength=values.shape[0] * (size + 3))
    occupied = np.flatnonzero(counts)
    run, index = np.divmod(occupied, size + 3)
    return run, index - 1, counts[occupied]


def _bin_count(quantity: str) -> int:
    low, high, width = HISTOGRAM_BINS[quantity]
    return round((high - low) / width)


def count_histograms(step: int, trace: Trace, delta: dict[int, Array], mask: Array) -> dict[str, Array]:
    """Count z, a and log10|δ| of every layer of the runs in a mask.

    Args:
        step: the step the counts belong to.
        trace: of the forward pass.
        delta: δ^l for l = 1…L at least.
        mask: (R,) bool.

    Returns:
        Column -> values: run, step, layer, quantity (an index into HISTOGRAM_BINS), bin, count; occupied bins only.
    """
    chosen = np.flatnonzero(mask)
    parts: dict[str, list[Array]] = {name: [] for name in ("run", "step", "layer", "quantity", "bin", "count")}
    for l in trace.z:
        with np.errstate(divide="ignore"):  # log10 0 lies below the lowest edge
            magnitudes = np.log10(np.abs(delta[l][chosen].astype(np.float64)))
        for code, (quantity, values) in enumerate((("z", trace.z[l][chosen]), ("a", trace.a[l][chosen]), ("log10_abs_delta", magnitudes))):
            run, index, counts = _bins(quantity, values)
            parts["run"].append(chosen[run])
            for name, number in (("step", step), ("layer", l), ("quantity", code)):
                parts[name].append(np.full(run.size, number, dtype=np.int64))
            parts["bin"].append(index)
            parts["count"].append(counts.astype(np.int64))
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}


def _label_histograms(parts: list[dict[str, Array]]) -> dict[str, Array]:
    """Join counts, sort them by run, step, layer, quantity and bin, and give quantities their names and bins their edges."""
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort(tuple(joined[name] for name in ("bin", "quantity", "layer", "step", "run")))
    joined = {name: values[order] for name, values in joined.items()}
    code, index = joined.pop("quantity"), joined.pop("bin")
    count = joined.pop("count")
    lower, upper = np.empty(index.size), np.empty(index.size)
    for number, (name, (low, _, width)) in enumerate(HISTOGRAM_BINS.items()):
        own, size = code == number, _bin_count(name)
        bins = index[own]
        # float64 edges by the same formula for every run; what is not a number has none
        lower[own] = np.where(bins < 0, -np.inf, low + width * bins)
        upper[own] = np.where(bins >= size, np.inf, low + width * (bins + 1))
        nan = np.flatnonzero(own)[bins == size + 1]
        lower[nan] = upper[nan] = np.nan
    quantity = np.array(list(HISTOGRAM_BINS), dtype=object)[code]
    return joined | {"quantity": quantity, "bin_low": lower, "bin_high": upper, "count": count}


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
        return np.array(array[run if array.shape[0] > 1 else 0], order="C")

    arrays = {"x": own(x), "y": own(y)}
    for (kind, l), array in params.items():
        arrays[f"{kind}{l}"] = own(array)
    for (kind, l), array in gradients.items():
        arrays[f"d{kind}{l}"] = own(array)
    for l in trace.z:
        arrays[f"z{l}"], arrays[f"a{l}"], arrays[f"delta{l}"] = own(trace.z[l]), own(trace.a[l]), own(delta[l])
    return arrays


class Recorder:
    """Gather the rows of a stack in arrays laid out beforehand.

    Rows stand at the scheduled steps; a run that diverges between them adds a row of its own.

    Args:
        network: the architecture.
        runs: R.
        m: examples in a batch.
        scheduled: the steps at which rows stand, ascending.
        probed: whether rows come with PROBE_COLUMNS.
    """

    def __init__(self, network: Network, runs: int, m: int, scheduled: Array, probed: bool = False) -> None:
        self._network, self._runs, self._m, self._probed = network, runs, m, probed
        self._steps = np.asarray(scheduled, dtype=np.int64)
        self._position = {int(step): index for index, step in enumerate(self._steps)}
        shape = (runs, self._steps.size)
        self._present = np.zeros(shape, dtype=bool)
        self._norms = np.full((7, *shape, network.L + 1), np.nan)
        names = COSTLY_COLUMNS + (PROBE_COLUMNS if probed else ())
        self._columns = {name: np.full((*shape, network.L + 1), np.nan) for name in names}
        self._step_columns: dict[str, Array] = {
            name: np.zeros(shape, dtype=bool) if name == "clipped" else np.full(shape, np.nan) for name in STEP_COLUMNS
        }
        self._extra: dict[int, Recorder] = {}
        self._histograms: list[dict[str, Array]] = []

    def add(self, step: int, mask: Array, norms: FloatArray, step_row: dict[str, Array]) -> None:
        """Add one step's rows.

        Args:
            step: the rows' step.
            mask: (R,) bool, which runs have a row.
            norms: (7, R, L+1), of all runs.
            step_row: STEP_COLUMNS -> (R,), of all runs; one that is left out stays NaN.
        """
        index = self._position.get(step)
        if index is None:
            self._extra_at(step).add(step, mask, norms, step_row)
            return
        self._present[:, index] = mask
        self._norms[:, :, index] = norms
        for name, values in step_row.items():
            self._step_columns[name][:, index] = values

    def add_columns(self, step: int, mask: Array, columns: dict[str, FloatArray]) -> None:
        """Add COSTLY_COLUMNS or PROBE_COLUMNS -> (R, L+1) of one step, for the runs in the mask."""
        index = self._position.get(step)
        if index is None:
            self._extra_at(step).add_columns(step, mask, columns)
            return
        for name, values in columns.items():
            self._columns[name][mask, index] = values[mask]

    def _extra_at(self, step: int) -> "Recorder":
        return self._extra.setdefault(step, Recorder(self._network, self._runs, self._m, np.array([step]), self._probed))

    def add_histograms(self, counts: dict[str, Array]) -> None:
        """Add the histograms of one step."""
        self._histograms.append(counts)

    def record(
        self,
        snapshots: list[dict[str, Array] | None],
        diverged_at_step: list[int | None],
        final_loss: FloatArray,
        final_accuracy: FloatArray,
        test_accuracy: FloatArray,
    ) -> StackRecord:
        """Return what was gathered, with what is known at the end."""
        sources = [self, *self._extra.values()]
        steps = np.concatenate([source._steps for source in sources])
        used = np.flatnonzero(np.concatenate([source._present for source in sources], axis=1).any(axis=0))
        order = used[np.argsort(steps[used], kind="stable")]

        def whole(parts: list[Array], axis: int = 1) -> Array:
            one = len(parts) == 1 and order.size == steps.size
            return parts[0] if one else np.take(np.concatenate(parts, axis=axis), order, axis=axis)

        columns = norm_columns(self._network, whole([source._norms for source in sources], 2), self._m)
        columns |= {} if self._probed else unprobed(columns["delta_norm"])
        columns |= {name: whole([source._columns[name] for source in sources]) for name in self._columns}
        return StackRecord(
            steps[order],
            whole([source._present for source in sources]),
            {name: columns[name] for name in LAYER_COLUMNS},
            {name: whole([source._step_columns[name] for source in sources]) for name in STEP_COLUMNS},
            _label_histograms(self._histograms),
            snapshots,
            diverged_at_step,
            final_loss,
            final_accuracy,
            test_accuracy,
        )
