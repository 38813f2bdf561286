"""By how much δ shrinks per layer under PyTorch's default initialization, and under normal weights without their tails."""

from collections.abc import Mapping

import pandas as pd

from bpcore import activations
from bpcore.initializers import truncated_normal
from bpcore.theory import chi, limit
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, norms_at_start, rate_of_squares
from experiments.store.tables import Results

SETTLED_FROM = 5
"""First hidden layer that is counted: the variance of z has come to its fixed point by then."""

SHOWN = "pytorch relu"
"""The setting whose factor the summary shows."""

KINDS = {"relu": "pytorch", "smooth": "pytorch", "cut": "cut", "corrected": "corrected"}
"""Sweep -> what it is called."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the factor of ‖δ‖² per layer with the published.

    Args:
        results: of the sweeps `relu`, `smooth`, `cut` and `corrected`.
        finding: with its threshold and `values.rates`.

    Returns:
        The estimate; its numbers are those of SHOWN.
    """
    numbers = pd.concat([_numbers(tables, KINDS[name], finding.values["rates"]) for name, tables in results.items()], ignore_index=True)
    off = (numbers["measured"] / numbers["published"] - 1).abs()
    shown = numbers[numbers["setting"] == SHOWN].iloc[0]
    says = ", ".join(f"{row['setting']} {row['measured']:.4g} ({row['published']:.4g})" for row in numbers.to_dict("records"))
    conditions = [bounded("factors as published, relatively", off, most=finding.threshold("rate_within")), finite(results)]
    return Estimate(
        finding.verdict(conditions),
        f"Factor of ‖δ‖² per layer (published): {says}.",
        quantity="factor of ‖δ‖² per layer, ReLU, PyTorch's default",
        published=float(shown["published"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the mean of ‖δ‖²",
        n=int(numbers["n"].sum()),
        tables={"numbers": numbers},
    )


def _numbers(tables: Results, kind: str, published: Mapping[str, float]) -> pd.DataFrame:
    """Return one row an activation: the published and the predicted factor, and the measured one with its interval."""
    norms = norms_at_start(tables)
    rows = []
    for (activation, width, depth), group in groups(tables.runs, ["activation", "width", "depth"]):
        setting = f"{kind} {activation}"
        rate = rate_of_squares(norms, group["run_id"], SETTLED_FROM, int(depth))
        rows.append(
            {"setting": setting, "published": published[setting], "theory": _theory(kind, str(activation), int(width)), **rate.row()}
        )
    return pd.DataFrame(rows)


def _theory(kind: str, activation: str, width: int) -> float:
    """Return χ at the fixed point: σ_w² = 1/3 and σ_b² = 1/(3n) under PyTorch's default; He's times the variance that a cut leaves."""
    phi = getattr(activations, activation)()
    if kind == "pytorch":
        return chi(phi, limit(phi, 1 / 3, 1 / (3 * width)), 1 / 3)
    return chi(phi, 1.0, 2 * truncated_normal(1.0).variance(width, width) if kind == "cut" else 2.0)
