"""Counts of z, a and log10|δ| in fixed bins, the same for every run."""

import numpy as np

from bpcore.arrays import Array
from bpcore.network import Trace

HISTOGRAM_BINS: dict[str, tuple[float, float, float]] = {
    "z": (-10.0, 10.0, 0.2),
    "a": (-4.0, 4.0, 0.05),
    "log10_abs_delta": (-330.0, 310.0, 0.5),
}
"""Quantity: (lower edge, upper edge, width) of its fixed bins; what lies outside is counted beyond the edges."""

_AT_ONCE = 2**15
"""Values that are counted at once: few enough that the passes over them find them in the cache."""


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
    size, runs = _bin_count(quantity), values.shape[0]
    few = max(1, _AT_ONCE * runs // max(values.size, 1))
    counts = np.concatenate([_counted(values[start : start + few], low, width, size) for start in range(0, runs, few)])
    occupied = np.flatnonzero(counts)
    run, index = np.divmod(occupied, size + 3)
    return run, index - 1, counts[occupied]


def _counted(values: Array, low: float, width: float, size: int) -> Array:
    """Return the counts of each run's bins, one run after the other."""
    position = values.astype(np.float64).reshape(values.shape[0], -1)
    position -= low
    position /= width
    np.floor(position, out=position)
    np.clip(position, -1, size, out=position)
    position[np.isnan(position)] = size + 1
    position += 1 + np.arange(values.shape[0])[:, None] * (size + 3)
    return np.bincount(position.astype(np.int64).ravel(), minlength=values.shape[0] * (size + 3))


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


def label_histograms(parts: list[dict[str, Array]]) -> dict[str, Array]:
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
