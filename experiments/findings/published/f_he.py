"""Training of deep ReLU nets from Xavier's and from He's initialization."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding, not_testable
from experiments.findings.frames import best_reached, groups, reached
from experiments.store.tables import Results

INITIALIZERS = ("xavier", "he")


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the accuracies that both initializations reach, at every depth.

    Args:
        results: of the sweep `training`.
        finding: with its thresholds, `values.moderate` and `values.deep`.

    Returns:
        The estimate; its numbers are the accuracy of the deep net with He's initialization.
    """
    runs = results["training"].runs
    numbers = _numbers(runs)
    median = numbers.set_index(["init", "depth"])["measured"]
    moderate, deep = int(finding.values["moderate"]), int(finding.values["deep"])
    if any((init, depth) not in median.index for init in INITIALIZERS for depth in (moderate, deep)):
        return not_testable(f"The sweep lacks depth {moderate} or {deep}.", len(runs))
    trained, stalled = finding.threshold("trained_from"), finding.threshold("stalled_below")
    conditions = [
        bounded(f"both train at depth {moderate}", [median[init, moderate] for init in INITIALIZERS], least=trained),
        bounded(f"He's net trains at depth {deep}", median["he", deep], least=trained),
        bounded(f"Xavier's net stalls at depth {deep}", median["xavier", deep], most=stalled),
    ]
    reason = (
        f"Median training accuracy with Xavier's and He's initialization: {median['xavier', moderate]:.2f} and "
        f"{median['he', moderate]:.2f} "
        f"at depth {moderate}, {median['xavier', deep]:.2f} and {median['he', deep]:.2f} at depth {deep}."
    )
    shown = numbers[(numbers["init"] == "he") & (numbers["depth"] == deep)].iloc[0]
    return Estimate(
        finding.verdict(conditions),
        reason,
        quantity=f"training accuracy of {deep} ReLU layers with He's initialization",
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, bootstrap of the median; the best learning rate of each",
        n=len(runs),
        tables={"numbers": numbers},
    )


def _numbers(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row an initialization and depth: median and interval over seeds of the best accuracy, the factor of ‖δ‖."""
    rows = []
    for (init, depth), cell in groups(reached(runs), ["init", "depth"]):
        rows.append({
            "init": init, "depth": int(depth), **best_reached(cell).row(),
            "delta_factor": float(np.exp(np.log(cell["delta_factor"]).mean())), "delta_factor_theory": cell["delta_factor_theory"].mean(),
        })  # fmt: skip
    return pd.DataFrame(rows)
