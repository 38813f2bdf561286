"""By how much ReLU nets with skip connections, and without normalization, make the signal and δ grow per block."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.findings.intervals import mean
from experiments.findings.residual import over_seeds, per_block, sums
from experiments.store.tables import Results

AXES = ["skip", "alpha", "init"]
OF = {"delta": "‖δ‖²", "stream": "the signal"}

SHOWN = ("preactivation", 1.0, "he")
"""The setting whose factor the summary shows."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the factor per block with the published and the predicted one, by kind of block, α and initialization.

    Args:
        results: of the sweeps `one_matrix` and `two_matrices`.
        finding: with its threshold and, under `values`, the published factors by kind of block, α and initialization.

    Returns:
        The estimate; its numbers are those of ‖δ‖² in SHOWN.
    """
    rows = pd.concat([sums(tables, ["skip", "skip.scale", "init"]) for tables in results.values()])
    rows["alpha"] = pd.to_numeric(rows["skip.scale"])  # text, where other findings' nets have α by their depth
    numbers = _numbers(rows, finding.values)
    off = (numbers["measured"] / numbers["published"].fillna(numbers["theory"]) - 1).abs()
    delta = numbers[numbers["of"] == OF["delta"]]
    shown = delta[(delta[AXES] == list(SHOWN)).all(axis=1)].iloc[0]
    return Estimate(
        finding.verdict([
            bounded("factors as published or predicted, relatively", off, most=finding.threshold("rate_within")),
            finite(results),
        ]),
        f"The {len(numbers)} factors per block are met within {100 * off.max():.2g} %; ‖δ‖² grows by {delta['measured'].min():.4g} to "
        f"{delta['measured'].max():.4g}, He's with one matrix a block by {shown['measured']:.4g}.",
        quantity="factor of ‖δ‖² per block, z-skip, α = 1, He",
        published=float(shown["published"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the mean of ‖δ‖²",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "profile": over_seeds(rows, [*AXES, "block"])},
    )  # fmt: skip


def _numbers(rows: pd.DataFrame, published: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row a setting, for δ and for the signal, of which theory says the same."""
    found = []
    for (skip, alpha, init), group in groups(rows, AXES):
        blocks = int(group["blocks"].iloc[0])
        first, last = group[group["block"] == 0], group[group["block"] == blocks]
        for of, values in (("delta", first["delta"]), ("stream", last["stream"])):
            found.append({
                "skip": skip, "alpha": alpha, "init": init, "of": OF[of],
                "published": published.get(skip, {}).get(alpha, {}).get(init, math.nan),
                "theory": first["theory"].mean() ** (1 / blocks), **per_block(mean(values), blocks).row(),
            })  # fmt: skip
    return pd.DataFrame(found)
