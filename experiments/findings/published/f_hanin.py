"""How ln of the squared end-to-end factor of δ scatters over seeds in nets of finite width."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from experiments.findings.conditions import bounded, every
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, layers_at
from experiments.store.tables import Results

STATEMENTS = 3
"""Mean, variance and shape."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare mean, variance and shape with N(−β/2, β).

    Args:
        results: of the sweeps `relu` and `linear`.
        finding: with its threshold and `values.per_unit`.

    Returns:
        The estimate; its numbers are the variance of the widest ReLU nets.
    """
    factors = pd.concat([_factors(tables) for tables in results.values()], ignore_index=True)
    settings = list(groups(factors, ["activation", "width"]))
    confidence = 1 - (1 - finding.threshold("joint_confidence")) / (STATEMENTS * len(settings))
    rows = [
        {"activation": activation, "width": int(width), **_judge(rows, float(finding.values["per_unit"][activation]), confidence)}
        for (activation, width), rows in settings
    ]
    numbers = pd.DataFrame(rows)
    right = int(numbers[["mean_right", "variance_right", "shape_right"]].to_numpy().sum())
    conditions = [
        every("the mean agrees", numbers["mean_right"], "settings"),
        every("the variance agrees", numbers["variance_right"], "settings"),
        every("the shape agrees", numbers["shape_right"], "settings"),
        bounded("the correction is seen: upper end of the mean", numbers["mean_high"], below=0),
        finite(results),
    ]
    relu = numbers[numbers["activation"] == "relu"].iloc[-1]
    return Estimate(
        finding.verdict(conditions),
        f"{right} of {STATEMENTS * len(numbers)} statements agree; ReLU, width {relu['width']:.0f}: mean {relu['mean']:.3f} "
        f"(theory {-relu['beta'] / 2:.3f}), variance {relu['measured']:.3f} ({relu['beta']:.3f}).".replace("-", "−"),
        quantity=f"variance of ln of the squared factor of δ, ReLU, 20 layers of {relu['width']:.0f} units",
        published=float(relu["beta"]),
        theory=float(relu["beta"]),
        measured=float(relu["measured"]),
        low=float(relu["low"]),
        high=float(relu["high"]),
        interval=f"χ² interval over {relu['n']:.0f} seeds, {100 * finding.threshold('joint_confidence'):g} % for all comparisons together",
        n=int(numbers["n"].sum()),
        tables={"numbers": numbers, "logarithms": factors},
    )


def _factors(tables: Results) -> pd.DataFrame:
    """Return one row a run: activation, width, factors (D − 1) and ln(‖δ^1‖²/‖δ^D‖²)."""
    hidden = layers_at(tables, 0, ["activation", "width", "depth"])
    first = hidden[hidden["layer"] == 1].set_index("run_id")
    last = hidden[hidden["layer"] == hidden["depth"]].set_index("run_id")
    with np.errstate(divide="ignore"):
        logarithm = 2 * np.log(first["delta_norm"] / last["delta_norm"])
    frame = first[["activation", "width"]].assign(factors=first["depth"] - 1, logarithm=logarithm)
    return frame.reset_index(drop=True)


def _judge(rows: pd.DataFrame, per_unit: float, confidence: float) -> dict[str, float]:
    """Return β, mean and variance with their intervals, the probability of Kolmogorov and Smirnov, and what agrees."""
    values = rows["logarithm"].to_numpy()
    n = len(values)
    beta = per_unit * float(rows["factors"].iloc[0]) / float(rows["width"].iloc[0])
    center, variance = float(values.mean()), float(values.var(ddof=1))
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1)) * np.sqrt(variance / n)
    low, high = ((n - 1) * variance / stats.chi2.ppf(p, n - 1) for p in ((1 + confidence) / 2, (1 - confidence) / 2))
    chance = float(stats.kstest(values, stats.norm(-beta / 2, np.sqrt(beta)).cdf).pvalue)
    return {
        "beta": beta, "mean": center, "mean_low": center - half, "mean_high": center + half,
        "mean_right": bool(abs(center + beta / 2) <= half),
        "measured": variance, "low": float(low), "high": float(high), "variance_right": bool(low <= beta <= high),
        "shape_p": chance, "shape_right": bool(chance >= 1 - confidence), "n": n,
    }  # fmt: skip
