"""What batch normalization in the branches makes of a residual net's signal and δ."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite
from experiments.findings.intervals import mean
from experiments.findings.residual import misfit, over_seeds, sums
from experiments.store.tables import Results

NETS = ["activation", "init"]

SHOWN = "relu_he"
"""The net whose total of ‖δ‖² is reported."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare what the variances grow by per block, and the totals of ‖δ‖², with the published; and two laws of δ's growth.

    Args:
        results: of the sweeps `he`, `plain` and `sums`, the last with snapshots.
        finding: with its thresholds and the published numbers.

    Returns:
        The estimate; its numbers are SHOWN's total of ‖δ‖².
    """
    rows = pd.concat([sums(results[name], NETS) for name in ("he", "plain")])
    rows["net"] = rows["activation"] + "_" + rows["init"]
    profile = over_seeds(rows.assign(place=1.0 + rows["block"]), ["net", "place"])
    numbers = pd.DataFrame([*_totals(rows, finding.values["total"]), *_slopes(rows, results["sums"], finding.values)])
    total, slopes = numbers[numbers["of"] == "total"], numbers[numbers["of"] != "total"]
    laws = pd.Series({str(net): _law(own) for net, own in profile.groupby("net")})
    shown = total[total["net"] == SHOWN].iloc[0]
    return Estimate(
        finding.verdict([
            bounded("growth of the variances as published, relatively", _off(slopes), most=finding.threshold("slope_within")),
            bounded("totals as published, relatively", _off(total), most=finding.threshold("total_within")),
            bounded("what the line in ln variance leaves over what that in blocks does", laws, most=finding.threshold("misfit_below")),
            finite(results),
        ]),
        f"With He E z² grows by {slopes['measured'].iloc[0]:.3g} per block and the variance over the batch by "
        f"{slopes['measured'].iloc[1]:.3g}; "
        f"over all blocks ‖δ‖² grows {', '.join(f'{value:.4g}' for value in total['measured'])} times "
        f"({', '.join(total['net'])}), within {100 * _off(total).max():.2g} % of the published.",
        quantity="total of ‖δ‖² over 50 blocks, ReLU, He",
        published=float(shown["published"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the arithmetic mean",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "profile": profile},
    )  # fmt: skip


def _off(numbers: pd.DataFrame) -> "pd.Series[float]":
    return (numbers["measured"] / numbers["published"] - 1).abs()


def _law(profile: pd.DataFrame) -> float:
    """Return the squares that the line of ln ‖δ‖² in ln(1 + l) leaves over those that the line in l does."""
    logarithm = np.log(profile["measured"])
    return misfit(np.log(profile["place"]), logarithm) / misfit(profile["place"], logarithm)


def _totals(rows: pd.DataFrame, published: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return one row a net: the total of ‖δ‖²."""
    first = over_seeds(rows[rows["block"] == 0], ["net"])
    first = first.assign(of="total", place=1.0, published=first["net"].map(dict(published)))
    return [dict(row) for _, row in first.iterrows()]


def _slopes(rows: pd.DataFrame, tables: Results, values: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return a row each for E z² and for the variance over the batch: the mean over seeds of the growth per block."""
    ends = rows[(rows["net"] == SHOWN) & rows["block"].isin([0, rows["blocks"].max()])].sort_values(["run_id", "block"]).groupby("run_id")
    squares = ends["z_var"].agg(lambda ends: ends.iloc[-1] - ends.iloc[0]) / ends["blocks"].first()
    variances = [
        _variance_growth(tables.path / f"snapshot_{run}.npz", int(depth)) for run, depth in tables.runs[["run_id", "depth"]].to_numpy()
    ]
    return [
        {"of": of, "net": SHOWN, "published": values[of], **mean(own).row()}
        for of, own in (("mean_square", squares), ("variance", variances))
    ]


def _variance_growth(path: Path, depth: int) -> float:
    """Return by how much the variance over the batch, a mean over units, grows per block from the first sum to the last."""
    if not path.is_file():
        return math.nan
    with np.load(path) as kept:
        first, last = (float(kept[f"z{l}"].astype(float).var(axis=-1).mean()) for l in (1, depth))
    return (last - first) / (depth - 1)
