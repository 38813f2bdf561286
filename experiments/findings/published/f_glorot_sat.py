"""Which hidden sigmoid layer saturates early in training."""

from collections.abc import Mapping

import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.findings.intervals import mean
from experiments.store.tables import Results

SHOWN_DEPTH = 4
"""Whose numbers the summary shows; every variant of the sweep has it."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Follow the mean activation of every hidden layer through the training.

    Args:
        results: of the sweep `training`.
        finding: with its thresholds.

    Returns:
        The estimate; its numbers are the lowest mean activation of the last of SHOWN_DEPTH hidden layers.
    """
    tables = results["training"]
    layers = tables.layers.merge(tables.runs[["run_id", "depth", "seed"]], on="run_id")
    layers = layers[(layers["layer"] >= 1) & (layers["layer"] <= layers["depth"])]
    last = layers[layers["layer"] == layers["depth"]]
    others = layers[layers["layer"] < layers["depth"]]["a_mean"]
    lowest = last.groupby(["depth", "seed"])["a_mean"].min()
    linear = {"least": finding.threshold("linear_from"), "most": finding.threshold("linear_to")}
    conditions = [
        bounded("the last hidden layer saturates", lowest, most=finding.threshold("saturated_below")),
        bounded("the others stay in the linear range", others, **linear),
        finite(results),
    ]
    shown = mean(lowest.xs(SHOWN_DEPTH, level="depth"))
    first = last.loc[last.groupby(["depth", "seed"])["a_mean"].idxmin(), "step"]
    reason = (
        f"The mean activation of the last hidden layer falls to {lowest.min():.3g} to {lowest.max():.3g} (lowest at step "
        f"{first.min():.0f} to {first.max():.0f}); "
        f"the others stay between {others.min():.3g} and {others.max():.3g}."
    )
    return Estimate(
        finding.verdict(conditions),
        reason,
        quantity=f"lowest mean activation of the last of {SHOWN_DEPTH} hidden layers",
        measured=shown.value,
        low=shown.low,
        high=shown.high,
        interval=f"95 % over {shown.n} seeds, of the arithmetic mean",
        n=len(tables.runs),
        tables={"numbers": _numbers(layers), "activations": _profile(layers)},
    )


def _numbers(layers: pd.DataFrame) -> pd.DataFrame:
    """Return one row a depth and layer: mean activation before and after training, and its smallest and largest value on the way."""
    rows = []
    for (depth, layer), group in groups(layers, ["depth", "layer"]):
        steps = group.groupby("step")["a_mean"].mean().sort_index()
        low, high = group["a_mean"].min(), group["a_mean"].max()
        n = group["seed"].nunique()
        rows.append({"depth": depth, "layer": layer, "start": steps.iloc[0], "end": steps.iloc[-1], "low": low, "high": high, "n": n})
    return pd.DataFrame(rows)


def _profile(layers: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (depth, layer, step), group in groups(layers, ["depth", "layer", "step"]):
        values = group["a_mean"]
        rows.append({"depth": depth, "layer": layer, "step": step, "measured": values.mean(), "low": values.min(), "high": values.max()})
    return pd.DataFrame(rows)
