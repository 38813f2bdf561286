"""Whether Xavier initialization keeps the gradient's variance in tanh nets: a popular claim."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, squared_end_to_end
from experiments.findings.intervals import mean
from experiments.store.tables import Results

SHOWN_DEPTH = 50
"""Whose ratio the summary shows; every variant of the sweep has it."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Estimate the ratio of the mean squares of δ in the first and the last hidden layer, at every depth.

    Args:
        results: of the sweep `depths`.
        finding: with its thresholds.

    Returns:
        The estimate; its numbers are those of depth SHOWN_DEPTH, or the next to it.
    """
    tables = results["depths"]
    numbers = squared_end_to_end(tables, mean)
    within = float(finding.threshold("kept_within"))
    kept = bounded("ends of the ratio's interval, at every depth", numbers[["low", "high"]], least=1 / within, most=within)
    deepest = numbers.iloc[-1]
    lost = bounded("lost at the greatest depth: upper end", deepest["high"], below=finding.threshold("lost_below"))
    shown = numbers.iloc[(numbers["depth"] - SHOWN_DEPTH).abs().argmin()]
    slope = _slope(numbers)
    reason = (
        f"At depth {deepest['depth']:.0f} the first hidden layer's mean square of δ is {deepest['measured']:.3g} of the last's "
        f"(theory {deepest['theory']:.3g}), not 1; it falls like depth^{slope:.2f}".replace("^-", "^−")
        + "."
    )
    return Estimate(
        finding.verdict([kept, finite(results)], against=[lost]),
        reason,
        quantity=f"ratio ‖δ^1‖²/‖δ^D‖² at depth D = {shown['depth']:.0f}",
        published=float(finding.values["ratio"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the arithmetic mean",
        n=len(tables.runs),
        tables={"numbers": numbers.assign(published=float(finding.values["ratio"]))},
    )


def _slope(numbers: pd.DataFrame) -> float:
    """Return the exponent of the depth between the two greatest depths."""
    if len(numbers) < 2:
        return float("nan")
    a, b = numbers.iloc[-2], numbers.iloc[-1]
    return float(np.log(b["measured"] / a["measured"]) / np.log(b["depth"] / a["depth"]))
