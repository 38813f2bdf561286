"""Training of deep sigmoid nets with and without batch normalization."""

from collections.abc import Mapping

import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding, not_testable
from experiments.findings.frames import best_reached, groups, reached
from experiments.store.tables import Results

SHOWN_DEPTH = 10
"""Whose accuracy the summary shows; every variant of the sweep has it."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the accuracies with and without normalization, at every depth.

    Args:
        results: of the sweep `training`.
        finding: with its thresholds.

    Returns:
        The estimate; its numbers are the accuracy with normalization at depth SHOWN_DEPTH.
    """
    runs = results["training"].runs
    numbers = _numbers(runs)
    deep = numbers[numbers["depth"] >= finding.threshold("deep_from")].pivot_table("measured", "depth", "normalization", dropna=False)
    if deep.empty or {"none", "batch"} - set(deep.columns):
        return not_testable("The sweep has no deep nets with and without normalization.", len(runs))
    conditions = [
        bounded("deep nets train with batch normalization", deep["batch"], least=finding.threshold("trained_from")),
        bounded("deep nets stall without", deep["none"], most=finding.threshold("stalled_below")),
    ]
    shown = numbers[(numbers["normalization"] == "batch") & (numbers["depth"] == SHOWN_DEPTH)].iloc[0]
    says = ", ".join(f"{row['none']:.2f} and {row['batch']:.2f} at depth {depth}" for depth, row in deep.iterrows())
    return Estimate(
        finding.verdict(conditions),
        f"Median training accuracy without and with batch normalization: {says}.",
        quantity=f"training accuracy of {SHOWN_DEPTH} sigmoid layers with batch normalization",
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, bootstrap of the median; the best learning rate of each",
        n=len(runs),
        tables={"numbers": numbers},
    )


def _numbers(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row a normalization and depth: median and interval over seeds of the best accuracy, and its learning rate."""
    rows = []
    for (normalization, depth), cell in groups(reached(runs), ["normalization", "depth"]):
        best = best_reached(cell)
        by_rate = cell.groupby("lr")["accuracy"].median()
        rows.append({
            "normalization": normalization, "depth": int(depth), **best.row(),
            "best_lr": by_rate.idxmax(),
        })  # fmt: skip
    return pd.DataFrame(rows)
