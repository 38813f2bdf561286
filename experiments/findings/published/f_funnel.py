"""What a funnel of widths does to δ, under initializations that preserve different variances."""

import json
import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, layers_at
from experiments.findings.intervals import mean
from experiments.store.tables import Results

SHOWN = "he fan_out"
"""The initialization whose ratio the summary shows."""

COLUMNS = {"norm": "delta_norm", "unit": "delta_rms"}


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the ratio of the first to the last hidden layer, of norms and of units, with the product of the layers' factors.

    Args:
        results: of the sweeps `he` and `xavier`.
        finding: with its threshold and `values.norm`.

    Returns:
        The estimate; its numbers are ‖δ^1‖²/‖δ^5‖² of SHOWN.
    """
    numbers = pd.concat([_numbers(tables, finding.values["norm"]) for tables in results.values()], ignore_index=True)
    off = (numbers["measured"] / numbers["published"] - 1).abs()
    of = {kind: numbers[numbers["quantity"] == kind] for kind in COLUMNS}
    conditions = [
        bounded(f"{words} as published, relatively", off[of[kind].index], most=finding.threshold("total_within"))
        for kind, words in (("norm", "ratio of ‖δ‖²"), ("unit", "ratio of units' mean squares"))
    ]
    shown = of["norm"][of["norm"]["init"] == SHOWN].iloc[0]
    says = "; ".join(f"{row['init']} {row['measured']:.3g} (published {row['published']:.3g})" for row in of["norm"].to_dict("records"))
    return Estimate(
        finding.verdict([*conditions, finite(results)]),
        f"‖δ^1‖²/‖δ^5‖²: {says}.",
        quantity="ratio ‖δ^1‖²/‖δ^5‖² through 512-256-128-64-32, He by fan-out",
        published=float(shown["published"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the arithmetic mean",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers},
    )


def _name(run: Mapping[Any, Any]) -> str:
    """Return what the conf file calls an initialization."""
    if run["init"] == "he":
        return f"he {run['init.mode']}"
    scale = float(run["init.scale"])
    return f"xavier {'√2' if math.isclose(scale, math.sqrt(2)) else f'{scale:g}'}"


def _widths(tables: Results) -> float:
    """Return n_D/n_1, the last hidden layer's width over the first's."""
    widths = json.loads(str(tables.runs["width"].iloc[0]))
    return float(widths[-1] / widths[0])


def _numbers(tables: Results, published: Mapping[str, float]) -> pd.DataFrame:
    """Return one row an initialization and quantity: the ratio published, predicted and measured with its interval."""
    names = pd.Series([_name(run) for run in tables.runs.to_dict("records")], index=tables.runs["run_id"], dtype=object)
    hidden = layers_at(tables, 0, ["depth"])
    columns = [*COLUMNS.values(), "delta_norm_theory"]
    first, last = (hidden[hidden["layer"] == layer].set_index("run_id")[columns] for layer in (1, hidden["depth"].max()))
    ratios = (first / last) ** 2
    narrower = _widths(tables)
    rows = []
    for name, runs in ratios.groupby(names, sort=False):
        theory = float(runs["delta_norm_theory"].mean())
        for kind, column in COLUMNS.items():
            by = 1.0 if kind == "norm" else narrower
            own = {"published": published[str(name)] * by, "theory": theory * by, **mean(runs[column]).row()}
            rows.append({"init": name, "quantity": kind, **own})
    return pd.DataFrame(rows)
