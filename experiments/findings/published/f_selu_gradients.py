"""Whether SELU nets keep their gradients: a popular reading of “self-normalizing”."""

from collections.abc import Mapping

import numpy as np

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, squared_end_to_end
from experiments.findings.intervals import bootstrap
from experiments.store.tables import Results

SHOWN_DEPTH = 50
"""Whose ratio the summary shows; every variant of the sweep has it."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Estimate the ratio of the mean squares of δ in the first and the last hidden layer, at every depth.

    Args:
        results: of the sweep `depths`.
        finding: with its thresholds, `values.ratio` and `values.chi`.

    Returns:
        The estimate; its numbers are those of depth SHOWN_DEPTH, or the next to it.
    """
    tables = results["depths"]
    numbers = squared_end_to_end(tables, lambda ratios: bootstrap(ratios, np.mean)).assign(published=float(finding.values["ratio"]))
    within = float(finding.threshold("kept_within"))
    kept = bounded("ends of the ratio's interval, at every depth", numbers[["low", "high"]], least=1 / within, most=within)
    deepest = numbers.iloc[-1]
    grown = bounded("grown at the greatest depth: lower end", deepest["low"], above=finding.threshold("grown_above"))
    shown = numbers.iloc[(numbers["depth"] - SHOWN_DEPTH).abs().argmin()]
    chi = shown["measured"] ** (1 / (shown["depth"] - 1))
    return Estimate(
        finding.verdict([kept, finite(results)], against=[grown]),
        f"At depth {deepest['depth']:.0f} the first hidden layer's mean square of δ is {deepest['measured']:.3g} times the last's (theory "
        f"{deepest['theory']:.3g}), not 1; it grows by {chi:.4g} per layer, by algebra {float(finding.values['chi'])}.",
        quantity=f"ratio ‖δ^1‖²/‖δ^D‖² at depth D = {shown['depth']:.0f}",
        published=float(finding.values["ratio"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, bootstrap of the arithmetic mean",
        n=len(tables.runs),
        tables={"numbers": numbers},
    )
