"""How δ grows over the blocks of residual tanh nets without normalization."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite
from experiments.findings.residual import misfit, over_seeds, sums
from experiments.store.tables import Results

SHOWN = 50
"""The number of blocks whose total is reported, measured in every mode."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the total of ‖δ‖² over all blocks with the published one, and two laws of its growth.

    Args:
        results: of the sweep `depths`.
        finding: with its thresholds and, under `values`, the published totals by the number of blocks.

    Returns:
        The estimate; its numbers are those of SHOWN blocks.
    """
    rows = sums(results["depths"], [])
    numbers = over_seeds(rows[rows["block"] == 0], ["blocks"])
    numbers.insert(1, "published", numbers["blocks"].map(finding.values["total"]))
    blocks = int(numbers["blocks"].max())
    profile = over_seeds(_over_the_first(rows[rows["blocks"] == blocks]), ["block"])
    profile["root"] = profile["block"] ** 0.5
    logarithm = np.log(profile["measured"])
    by_root, by_number = misfit(profile["root"], logarithm), misfit(profile["block"], logarithm)
    off = (numbers["measured"] / numbers["published"] - 1).abs()
    shown = numbers[numbers["blocks"] == SHOWN].iloc[0]
    return Estimate(
        finding.verdict([
            bounded("totals as published, relatively", off, most=finding.threshold("total_within")),
            bounded("what the line in √k leaves over what that in k does", by_root / by_number, most=finding.threshold("misfit_below")),
            finite(results),
        ]),
        f"Over {', '.join(f'{n:.0f}' for n in numbers['blocks'])} blocks ‖δ‖² grows "
        f"{', '.join(f'{total:.4g}' for total in numbers['measured'])} times; a line in √k leaves {by_root / by_number:.2g} times the "
        "squares that one in k leaves.",
        quantity=f"total of ‖δ‖² over {SHOWN} blocks",
        published=float(shown["published"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the arithmetic mean",
        n=len(results["depths"].runs),
        tables={"numbers": numbers, "profile": profile},
    )  # fmt: skip


def _over_the_first(rows: pd.DataFrame) -> pd.DataFrame:
    """Return ‖δ‖² of the first sum over that behind k blocks, and the same as predicted."""
    first = rows.groupby("run_id")[["delta", "theory"]].transform("first")
    return rows.assign(delta=first["delta"] / rows["delta"], theory=first["theory"] / rows["theory"])
