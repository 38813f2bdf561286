"""Effective rank of the activations through depth, with and without batch normalization."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, layers_at
from experiments.statistics.intervals import mean_interval
from experiments.store.tables import Results

LAYER = 200
"""The layer that is judged, the same in every mode."""

DRAWN = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000)


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the rank at layer 200 with 1 and with √d.

    Args:
        results: one sweep a width.
        finding: with its thresholds and `values.exponent`.

    Returns:
        The estimate; its numbers are the rank with batch normalization at the greatest width.
    """
    layers = pd.concat([layers_at(tables, 0, ["width", "normalization"]) for tables in results.values()])
    rows = []
    for (width, normalization, layer), group in groups(layers[layers["layer"].isin(DRAWN)], ["width", "normalization", "layer"]):
        rank = mean_interval(group["a_rank"].to_numpy())
        rows.append({
            "width": width, "normalization": normalization, "layer": layer, **rank.row(),
        })  # fmt: skip
    profile = pd.DataFrame(rows)
    numbers = profile[profile["layer"] == LAYER].reset_index(drop=True)
    numbers["published"] = np.where(numbers["normalization"] == "batch", np.sqrt(numbers["width"].astype(float)), 1.0)
    batch, none = (numbers[numbers["normalization"] == name] for name in ("batch", "none"))
    exponent = float(np.polyfit(np.log(batch["width"].astype(float)), np.log(batch["measured"]), 1)[0])
    order = batch["measured"] / batch["published"]
    within = finding.threshold("order_within")
    apart = abs(exponent - finding.values["exponent"])
    conditions = [
        bounded("rank without normalization", none["measured"], below=finding.threshold("collapsed_below")),
        bounded("rank ÷ √d with batch normalization", order, least=1 / within, most=within),
        bounded("its exponent in d off the published", apart, most=finding.threshold("exponent_within")),
        finite(results),
    ]
    widest = batch.iloc[-1]
    return Estimate(
        finding.verdict(conditions),
        f"At layer {LAYER} the rank is at most {none['measured'].max():.3g} without normalization; with it "
        f"{order.min():.2g} to {order.max():.2g} times √d, growing like d^{exponent:.2f}.",
        quantity=f"effective rank at layer {LAYER} with batch normalization, d = {widest['width']:.0f} (√d = {widest['published']:.3g})",
        published=float(widest["published"]),
        measured=float(widest["measured"]),
        low=float(widest["low"]),
        high=float(widest["high"]),
        interval=f"95 % over {widest['n']:.0f} seeds, of the arithmetic mean",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "profile": profile},
    )
