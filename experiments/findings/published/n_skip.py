"""Whether skip connections alone keep δ, however deep the net: a popular claim."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.findings.intervals import mean
from experiments.findings.residual import per_block, sums
from experiments.store.tables import Results

SHOWN = 20
"""The number of blocks whose ratio is reported, measured in every mode."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare ‖δ‖ in the first sum with that in the last, by the number of blocks.

    Args:
        results: of the sweep `depths`.
        finding: with its thresholds.

    Returns:
        The estimate; its numbers are those of SHOWN blocks.
    """
    rows = sums(results["depths"], [])
    numbers = _numbers(rows[rows["block"] == 0])
    most, deepest = finding.threshold("kept_within"), numbers.iloc[-1]
    kept = bounded("‖δ‖ of the first sum over the last's, at every depth", numbers["measured"], least=1 / most, most=most)
    lost = bounded("in the deepest net: lower end", deepest["low"], above=most)
    grows = bounded("factor of ‖δ‖² per block, at every depth", numbers["per_block"], least=finding.threshold("grows_from"))
    shown = numbers[numbers["blocks"] == SHOWN].iloc[0]
    return Estimate(
        finding.verdict([kept, finite(results)], against=[lost, grows]),
        f"Over {', '.join(str(blocks) for blocks in numbers['blocks'])} blocks ‖δ‖ grows "
        f"{', '.join(f'{ratio:.3g}' for ratio in numbers['measured'])} times, "
        f"‖δ‖² by {numbers['per_block'].min():.3g} to {numbers['per_block'].max():.3g} per block.",
        quantity=f"‖δ‖ of the first sum over that of the last, {SHOWN} blocks",
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the root of the mean of the squares",
        n=len(results["depths"].runs),
        tables={"numbers": numbers},
    )


def _numbers(first: pd.DataFrame) -> pd.DataFrame:
    """Return one row a depth: the root of the mean of ‖δ‖²'s ratio, and its factor per block."""
    found = []
    for (blocks,), group in groups(first, ["blocks"]):
        total = mean(group["delta"])
        found.append({
            "blocks": int(blocks), "theory": float(np.sqrt(group["theory"].mean())), **per_block(total, 2).row(),
            "per_block": per_block(total, int(blocks)).value,
        })  # fmt: skip
    return pd.DataFrame(found)
