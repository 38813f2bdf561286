"""What batch normalization does to saturating nets: the factor of δ, trainability, and the range of learning rates."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import Condition, bounded
from experiments.findings.finding import Estimate, Finding, not_testable
from experiments.findings.frames import groups, reached
from experiments.findings.intervals import bootstrap, geometric_mean, mean
from experiments.statistics.intervals import Interval
from experiments.store.tables import Results

ROUNDING = 1e-9
"""Of the quotient of two learning rates."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the factor of δ, the best accuracy and the highest learning rate with and without normalization.

    Args:
        results: of the sweep `rates`.
        finding: with its thresholds.

    Returns:
        The estimate; its numbers are the factor of ‖δ‖ per layer in sigmoid nets with normalization.
    """
    runs = results["rates"].runs
    accuracy = _accuracy(runs)
    trained_from = float(finding.threshold("trained_from"))
    factors = {(act, norm): _factor(cell) for (act, norm), cell in groups(runs, ["activation", "normalization"])}
    if len(factors) < 4:
        return not_testable("The sweep lacks sigmoid or tanh nets with or without normalization.", len(runs))
    highest = {key: _highest(cell, trained_from) for key, cell in groups(accuracy, ["activation", "normalization"])}
    with_it, without = (_distance(runs, norm) for norm in ("batch", "none"))
    gain = highest["tanh", "batch"] / highest["tanh", "none"]
    shown = factors["sigmoid", "batch"]
    best = accuracy.groupby(["activation", "normalization"])["measured"].max()
    conditions = [
        Condition(
            "sigmoid: |ln factor| is smaller with it", with_it.high < without.low, f"at most {with_it.high:.3g}, needed < {without.low:.3g}"
        ),
        bounded("sigmoid nets train with it: best accuracy", best["sigmoid", "batch"], least=trained_from),
        bounded("sigmoid nets do not without: best accuracy", best["sigmoid", "none"], below=trained_from),
        bounded("tanh: highest learning rate, with ÷ without", gain, least=finding.threshold("rate_gain") * (1 - ROUNDING)),
    ]
    reason = (
        f"Sigmoid: factor per layer {factors['sigmoid', 'none'].value:.3g} without, {shown.value:.3g} with; best accuracy "
        f"{best['sigmoid', 'none']:.2f} "
        f"without, {best['sigmoid', 'batch']:.2f} with. Tanh trains up to a learning rate of {highest['tanh', 'none']:.3g} without, "
        f"{highest['tanh', 'batch']:.3g} with."
    )
    return Estimate(
        finding.verdict(conditions),
        reason,
        quantity="factor of ‖δ‖ per layer in sigmoid nets with batch normalization",
        theory=_theory(runs),
        measured=shown.value,
        low=shown.low,
        high=shown.high,
        interval=f"95 % over {shown.n} seeds, of the geometric mean",
        n=len(runs),
        tables={"numbers": _numbers(factors, highest, best), "accuracy": accuracy},
    )


def _seeds(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one run a seed: the factor before training knows no learning rate."""
    return runs.drop_duplicates(["activation", "normalization", "seed"])


def _factor(runs: pd.DataFrame) -> Interval:
    return geometric_mean(_seeds(runs)["delta_factor"])


def _distance(runs: pd.DataFrame, normalization: str) -> Interval:
    """Return |ln factor| of sigmoid nets, mean over seeds."""
    chosen = _seeds(runs)
    chosen = chosen[(chosen["activation"] == "sigmoid") & (chosen["normalization"] == normalization)]
    return mean(np.log(chosen["delta_factor"]).abs())


def _theory(runs: pd.DataFrame) -> float | None:
    """Return the predicted factor of sigmoid nets with normalization, where there is one."""
    chosen = runs[(runs["activation"] == "sigmoid") & (runs["normalization"] == "batch")]["delta_factor_theory"].astype(float)
    return float(chosen.mean()) if chosen.notna().any() else None


def _accuracy(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row an activation, normalization and learning rate: median and interval over seeds; a diverged net has learned nothing."""
    rows = []
    for (activation, normalization, lr), cell in groups(reached(runs), ["activation", "normalization", "lr"]):
        median = bootstrap(cell["accuracy"], np.median)
        diverged = int((cell["status"] == "diverged").sum())
        rows.append({
            "activation": activation, "normalization": normalization, "lr": float(lr), "measured": median.value, "low": median.low,
            "high": median.high, "diverged": diverged, "n": len(cell),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _highest(accuracy: pd.DataFrame, trained_from: float) -> float:
    """Return the highest learning rate at which the median net trains; NaN where none does."""
    return float(accuracy.loc[accuracy["measured"] >= trained_from, "lr"].max())


def _numbers(
    factors: Mapping[tuple[str, str], Interval], highest: Mapping[tuple[str, str], float], best: "pd.Series[float]"
) -> pd.DataFrame:
    """Return one row an activation and normalization."""
    return pd.DataFrame([
        {"activation": key[0], "normalization": key[1], **factor.row(),
         "best_accuracy": best[key], "highest_lr": highest[key]}
        for key, factor in factors.items()
    ])  # fmt: skip
