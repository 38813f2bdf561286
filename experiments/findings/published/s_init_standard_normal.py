"""Whether standard normal weights keep δ in deep nets of any width and activation: a popular piece of advice."""

from collections.abc import Mapping

import numpy as np

from experiments.findings.conditions import bounded, every
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import end_to_end_by, finite
from experiments.store.tables import Results

WORSE = ("tanh", "relu")
"""Activations for which the advice must make matters worse to be called refuted."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Estimate the end-to-end ratio with N(0, 1) and with variance 1/n, by activation and width.

    Args:
        results: of the sweep `widths`.
        finding: with its threshold.

    Returns:
        The estimate; its numbers are ReLU's in the widest net.
    """
    tables = results["widths"]
    numbers = end_to_end_by(tables, ["activation", "init", "width"])
    within = float(finding.threshold("kept_within"))
    numbers["kept"] = (numbers["low"] >= 1 / within) & (numbers["high"] <= within)
    numbers["outside"] = (numbers["low"] > within) | (numbers["high"] < 1 / within)
    numbers["beyond"] = np.log(numbers["measured"]).abs()
    rows = {(row["init"], row["activation"], row["width"]): row for row in numbers.to_dict("records")}
    plain = [row for row in rows.values() if row["init"] == "normal"]
    worse = [
        row["outside"] and row["beyond"] > rows["fan_in", row["activation"], row["width"]]["beyond"]
        for row in plain
        if row["activation"] in WORSE
    ]
    ends = [row[end] for row in plain for end in ("low", "high")]
    kept = bounded("ends of the ratio's interval with N(0, 1)", ends, least=1 / within, most=within)
    matters_worse = every(f"outside the range and worse than 1/n, {' and '.join(WORSE)}", worse, "settings")
    width = int(numbers["width"].max())
    relu, scaled = rows["normal", "relu", width], {name: rows["fan_in", name, width]["measured"] for name in WORSE}
    words = ", ".join(f"{name} {rows['normal', name, width]['measured']:.2g}" for name in ("sigmoid", *WORSE))
    return Estimate(
        finding.verdict([kept, finite(results)], against=[matters_worse]),
        f"With N(0, 1) ‖δ^1‖/‖δ^20‖ at width {width} is {words}; with variance 1/n tanh has {scaled['tanh']:.2g} and ReLU "
        f"{scaled['relu']:.2g}. {sum(row['kept'] for row in plain)} of {len(plain)} settings keep δ.",
        quantity=f"‖δ^1‖/‖δ^20‖ of ReLU with N(0, 1), width {width}",
        published=1.0,
        theory=float(relu["theory"]),
        measured=float(relu["measured"]),
        low=float(relu["low"]),
        high=float(relu["high"]),
        interval=f"95 % over {relu['n']:.0f} seeds, of the geometric mean",
        n=len(tables.runs),
        tables={"numbers": numbers.drop(columns=["outside", "beyond"])},
    )
