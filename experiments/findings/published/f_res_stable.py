"""Whether branches scaled by 1/√L keep δ at any depth."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite
from experiments.findings.residual import over_seeds, slope, sums
from experiments.store.tables import Results

SHOWN = ("he", 50)
"""The initialization and the number of blocks whose total is reported, measured in every mode."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the total of ‖δ‖² over all blocks with the published one, and ask whether it changes with their number.

    Args:
        results: of the sweeps `he` and `lecun`.
        finding: with its thresholds and, under `values`, the published totals by initialization and number of blocks.

    Returns:
        The estimate; its numbers are those of SHOWN.
    """
    rows = pd.concat([sums(tables, ["init"]) for tables in results.values()])
    numbers = over_seeds(rows[rows["block"] == 0], ["init", "blocks"])
    published = finding.values["total"]
    numbers.insert(2, "published", [published.get(i, {}).get(n, math.nan) for i, n in zip(numbers["init"], numbers["blocks"], strict=True)])
    off = (numbers["measured"] / numbers["published"].fillna(numbers["theory"]) - 1).abs()
    trends = pd.Series({str(init): slope(np.log(own["blocks"]), np.log(own["measured"])) for init, own in numbers.groupby("init")})
    shown = numbers[(numbers["init"] == SHOWN[0]) & (numbers["blocks"] == SHOWN[1])].iloc[0]
    own = numbers[numbers["init"] == SHOWN[0]]
    return Estimate(
        finding.verdict([
            bounded("totals as published or predicted, relatively", off, most=finding.threshold("total_within")),
            bounded("slope of ln total in ln L", trends, most=finding.threshold("trend_below")),
            finite(results),
        ]),
        f"With He ‖δ‖² grows {', '.join(f'{total:.3g}' for total in own['measured'])} times over "
        f"{', '.join(f'{n:.0f}' for n in own['blocks'])} blocks; all {len(numbers)} totals are met within {100 * off.max():.2g} %.",
        quantity=f"total of ‖δ‖² over {SHOWN[1]} blocks, α = 1/√L, He",
        published=float(shown["published"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the arithmetic mean",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers},
    )  # fmt: skip
