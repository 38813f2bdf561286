"""Which initialization keeps δ through twenty layers, for sigmoid, tanh and ReLU."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from experiments.findings.conditions import every
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import end_to_end_by, finite
from experiments.store.tables import Results

CURED = ("tanh", "relu")
"""Activations that the rule asks a scheme for."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Estimate the end-to-end ratio of every scheme and activation.

    Args:
        results: of the sweep `schemes`.
        finding: with its threshold.

    Returns:
        The estimate; its numbers are ReLU's ratio under its best scheme.
    """
    tables = results["schemes"]
    numbers = end_to_end_by(tables, ["activation", "init"])
    within = float(finding.threshold("kept_within"))
    numbers["kept"] = (numbers["low"] >= 1 / within) & (numbers["high"] <= within)
    known = numbers[numbers["init"] != "normal"]
    best = {str(activation): _best(rows) for activation, rows in known.groupby("activation")}
    cured = [activation for activation, row in best.items() if row["kept"]]
    words = "; ".join(f"{activation!s} {str(row['init']).replace('_', ' ')} {row['measured']:.2g}" for activation, row in best.items())
    caveat = "" if "sigmoid" in cured else "no scheme keeps δ in sigmoid nets"
    head = best["relu"]
    marks = [activation in cured for activation in CURED]
    conditions = [every("some scheme keeps δ", marks, f"activations ({', '.join(CURED)})"), finite(results)]
    return Estimate(
        finding.verdict(conditions, caveat=caveat),
        f"What the best schemes leave of ‖δ‖ over 20 layers: {words}."
        + ("" if "sigmoid" in cured else " No scheme keeps δ in sigmoid nets, whose φ′ ≤ ¼."),
        quantity=f"‖δ^1‖/‖δ^20‖ of ReLU with {head['init']}",
        theory=float(head["theory"]),
        measured=float(head["measured"]),
        low=float(head["low"]),
        high=float(head["high"]),
        interval=f"95 % over {head['n']:.0f} seeds, of the geometric mean",
        n=len(tables.runs),
        tables={"numbers": numbers},
    )


def _best(rows: pd.DataFrame) -> dict[Any, Any]:
    """Return the row nearest to 1, as a factor."""
    return min(rows.to_dict("records"), key=lambda row: max(row["measured"], 1 / row["measured"]) if row["measured"] > 0 else math.inf)
