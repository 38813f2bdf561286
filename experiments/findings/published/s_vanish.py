"""Vanishing gradients: the norm of δ in sigmoid nets of growing depth."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, layers_at, profile
from experiments.findings.intervals import geometric_mean
from experiments.store.tables import Results

SHOWN_DEPTH = 10
"""Whose factor the summary shows; every variant of the sweep has it."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Estimate the factor per layer at every depth, over seeds.

    Args:
        results: of the sweep `depths`.
        finding: with its thresholds.

    Returns:
        The estimate; its numbers are those of depth SHOWN_DEPTH.
    """
    tables = results["depths"]
    hidden = layers_at(tables, 0, ["depth"])
    rows = []
    for (depth,), runs in groups(tables.runs, ["depth"]):
        factor = geometric_mean(runs["delta_factor"])
        rows.append({
            "depth": depth, "theory": runs["delta_factor_theory"].mean(), **factor.row(),
            "falling": _share_falling(hidden[hidden["depth"] == depth]),
        })  # fmt: skip
    numbers = pd.DataFrame(rows)
    conditions = [
        bounded("upper end of the factor's interval, at every depth", numbers["high"], below=finding.threshold("factor_below")),
        bounded("share of the steps between layers in which δ falls", numbers["falling"], least=finding.threshold("share_falling")),
        finite(results),
    ]
    falling = float(numbers["falling"].min())
    deepest = numbers.iloc[-1]
    shown = numbers.iloc[(numbers["depth"] - SHOWN_DEPTH).abs().argmin()]
    reason = (
        f"The upper end of the factor's interval is at most {numbers['high'].max():.3g}; δ falls in at least "
        f"{100 * falling:.4g} % of the steps between layers. At depth {deepest['depth']:.0f} it shrinks "
        f"{1 / deepest['measured']:.3g}× per layer."
    )
    return Estimate(
        finding.verdict(conditions),
        reason,
        quantity=f"factor of ‖δ‖ per layer at depth {shown['depth']:.0f}",
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the geometric mean",
        n=len(tables.runs),
        tables={"numbers": numbers, "profile": profile(layers_at(tables, 0, ["depth"], hidden=False), ["depth"])},
    )


def _share_falling(hidden: pd.DataFrame) -> float:
    """Return the share of steps between hidden layers, over all runs, in which δ is smaller on the input's side."""
    norms = hidden.pivot_table("delta_norm", "run_id", "layer").to_numpy()
    return float(np.mean(norms[:, :-1] < norms[:, 1:]))
