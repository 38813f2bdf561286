"""Whether unit variance in every layer keeps δ: a popular claim."""

import math
from collections.abc import Mapping

import pandas as pd

from bpcore import activations
from bpcore.theory import example_norm_rate
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, norms_at_start, rate_of_squares
from experiments.store.tables import Results

SETTLED_FROM = 5
"""First hidden layer that is counted."""

SHOWN = "tanh"
"""The activation whose factor the summary shows."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the factor of ‖δ‖² per layer with 1, and with E φ′²/E φ².

    Args:
        results: of the sweeps `smooth` and `relu`.
        finding: with its threshold and `values.rates`.

    Returns:
        The estimate; its numbers are those of SHOWN.
    """
    numbers = pd.concat([_numbers(tables, finding.values["rates"]) for tables in results.values()], ignore_index=True)
    within = finding.threshold("rate_within")
    claimed = bounded("factors off 1", (numbers["measured"] - 1).abs(), most=within)
    off = (numbers["measured"] / numbers["published"] - 1).abs()
    shown = numbers[numbers["activation"] == SHOWN].iloc[0]
    says = ", ".join(f"{row['activation']} {row['measured']:.4g} ({row['theory']:.4g})" for row in numbers.to_dict("records"))
    return Estimate(
        finding.verdict([claimed, finite(results)], against=[bounded("factors off E φ′²/E φ², relatively", off, most=within)]),
        f"With variance 1 in every layer ‖δ‖² changes per layer by (E φ′²/E φ²): {says}.",
        quantity="factor of ‖δ‖² per layer, tanh, variance 1 in every layer",
        published=1.0,
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the mean of ‖δ‖²",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers},
    )


def _numbers(tables: Results, rates: Mapping[str, float]) -> pd.DataFrame:
    """Return one row an activation: the published and the predicted factor, and the measured one with its interval."""
    norms = norms_at_start(tables)
    return pd.DataFrame([
        {
            "activation": activation,
            "published": rates.get(activation, math.nan),
            "theory": example_norm_rate(getattr(activations, activation)(), 1.0, centered=False, after=False),
            **rate_of_squares(norms, group["run_id"], SETTLED_FROM, int(group["depth"].iloc[0])).row(),
        }
        for (activation,), group in groups(tables.runs, ["activation"])
    ])  # fmt: skip
