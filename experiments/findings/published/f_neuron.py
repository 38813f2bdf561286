"""For which weights and inputs a chain of single sigmoid neurons does not shrink δ."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bpcore.theory import neuron_window
from experiments.findings.conditions import Condition, bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.store.tables import Results


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Measure the window of inputs in which |wσ′(wa)| ≥ 1, for every weight.

    Args:
        results: of the sweep `neuron`.
        finding: with its thresholds, `values.least_weight`, `values.widest` and `values.at_weight`.

    Returns:
        The estimate; its numbers are the widest window.
    """
    tables = results["neuron"]
    curves = _factors(tables)
    rows = []
    for (weight,), group in groups(curves, ["weight"]):
        width = window(group["input"], group["factor"])
        rows.append({"weight": weight, "theory": neuron_window(weight), "measured": width, "largest_factor": float(group["factor"].max())})
    numbers = pd.DataFrame(rows)
    least = float(finding.values["least_weight"])
    low, high = numbers[numbers["weight"] < least], numbers[numbers["weight"] > least]
    off = (high["measured"] / high["theory"] - 1).abs()
    widest = high.iloc[int(high["measured"].argmax())]
    nearest = float(min(high["weight"], key=lambda weight: abs(weight - finding.values["at_weight"])))
    gap = abs(widest["measured"] - finding.values["widest"])
    conditions = [
        bounded(f"no growth below |w| = {least:g}: largest factor", low["largest_factor"], below=1),
        bounded("widths off the formula's, relatively", off, most=finding.threshold("width_within")),
        bounded("the widest off the published", gap, most=finding.threshold("rounding")),
        Condition("the widest is where it was published", widest["weight"] == nearest, f"at w = {widest['weight']:g}, needed {nearest:g}"),
        finite(results),
    ]
    return Estimate(
        finding.verdict(conditions),
        f"Below |w| = {least:g} the largest factor is {low['largest_factor'].max():.4g}; above, the window's width differs from the "
        f"formula's by at most {100 * off.max(skipna=False):.2g} %, and is widest, {widest['measured']:.4g}, at w = {widest['weight']:g}.",
        quantity="width of the widest window of inputs in which |wσ′(wa)| ≥ 1",
        published=float(finding.values["widest"]),
        theory=float(widest["theory"]),
        measured=float(widest["measured"]),
        n=len(tables.runs),
        tables={"numbers": numbers, "curves": curves, "formula": _formula(numbers["weight"])},
    )


def _formula(weights: "pd.Series[float]") -> pd.DataFrame:
    """Return the formula's width over the weights that were measured, densely."""
    grid = np.linspace(min(2.0, weights.min()), weights.max(), 400)
    return pd.DataFrame({"weight": grid, "theory": [neuron_window(weight) for weight in grid]})


def _factors(tables: Results) -> pd.DataFrame:
    """Return one row a run: weight, input and ‖δ^1‖/‖δ^2‖."""
    norms = tables.layers[tables.layers["step"] == 0].pivot_table("delta_norm", "run_id", "layer")
    runs = tables.runs.set_index("run_id")
    frame = pd.DataFrame({"weight": runs["init.scale"], "input": runs["data.x"], "factor": norms[1] / norms[2]}).astype(float)
    return frame.sort_values(["weight", "input"], ignore_index=True)


def window(inputs: Any, factors: Any) -> float:
    """Return the width of the inputs at which the factor is ≥ 1, its ends linear between neighbors; NaN where it leaves the sweep."""
    x, y = np.asarray(inputs, dtype=float), np.asarray(factors, dtype=float) - 1
    inside = np.flatnonzero(y >= 0)
    if len(inside) == 0:
        return 0.0
    first, last = int(inside[0]), int(inside[-1])
    if first == 0 or last == len(x) - 1:
        return float("nan")
    start = x[first] - y[first] / (y[first] - y[first - 1]) * (x[first] - x[first - 1])
    end = x[last] + y[last] / (y[last] - y[last + 1]) * (x[last + 1] - x[last])
    return float(end - start)
