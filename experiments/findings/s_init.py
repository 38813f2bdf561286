"""Which initialization keeps δ through twenty layers, for sigmoid, tanh and ReLU."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from experiments.atlas.finding import Estimate, Finding
from experiments.atlas.frames import groups, layers_at
from experiments.atlas.intervals import geometric_mean
from experiments.store import Results

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
    numbers = _ratios(tables)
    within = float(finding.threshold("kept_within"))
    numbers["kept"] = (numbers["low"] >= 1 / within) & (numbers["high"] <= within)
    known = numbers[numbers["init"] != "normal"]
    best = {str(activation): _best(rows) for activation, rows in known.groupby("activation")}
    cured = [activation for activation, row in best.items() if row["kept"]]
    words = "; ".join(f"{activation!s} {str(row['init']).replace('_', ' ')} {row['measured']:.2g}" for activation, row in best.items())
    caveat = "" if "sigmoid" in cured else "no scheme keeps δ in sigmoid nets"
    head = best["relu"]
    return Estimate(
        finding.verdict(all(activation in cured for activation in CURED), caveat=caveat),
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


def _ratios(tables: Results) -> pd.DataFrame:
    """Return ‖δ^1‖/‖δ^D‖ by activation and initialization: geometric mean over seeds, its interval, theory's."""
    by = ["activation", "init"]
    hidden = layers_at(tables, 0, [*by, "depth"])
    first = hidden[hidden["layer"] == 1].set_index("run_id")
    last = hidden[hidden["layer"] == hidden["depth"]].set_index("run_id")
    ratio = first[by].assign(ratio=first["delta_norm"] / last["delta_norm"], theory=first["delta_norm_theory"] / last["delta_norm_theory"])
    rows = []
    for values, group in groups(ratio, by):
        kept = geometric_mean(group["ratio"])
        rows.append({
            **dict(zip(by, values, strict=True)), "theory": group["theory"].mean(), "measured": kept.value, "low": kept.low,
            "high": kept.high,
            "n": kept.n,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _best(rows: pd.DataFrame) -> dict[Any, Any]:
    """Return the row nearest to 1, as a factor."""
    return min(rows.to_dict("records"), key=lambda row: max(row["measured"], 1 / row["measured"]) if row["measured"] > 0 else math.inf)
