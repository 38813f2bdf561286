"""The edge of stability: sharpness and loss under full-batch gradient descent."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, steps_beside
from experiments.findings.intervals import mean
from experiments.store.tables import Results


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Check that the sharpness rises to 2/lr and hovers, and that the loss falls at every step until then.

    Args:
        results: of the sweeps `sharpness` and `losses`, the same trainings.
        finding: with its thresholds.

    Returns:
        The estimate; its numbers are the mean of sharpness ÷ (2/lr) over the last quarter of the steps.
    """
    curves = _sharpness(results["sharpness"])
    losses = _losses(results["losses"])
    numbers = _numbers(curves, losses, finding.threshold("edge_from"))
    hover = mean(numbers["measured"])
    conditions = [
        bounded("starts below the edge", numbers["start"], below=finding.threshold("starts_below")),
        bounded("hovers at the edge: distance from 1", (numbers["measured"] - 1).abs(), most=finding.threshold("hover_within")),
        bounded("rises of the loss before the edge", numbers["rises_before"], most=0),
        bounded("rises of the loss after it", numbers["rises_after"], above=0),
        finite(results),
    ]
    reason = (
        f"Sharpness ÷ (2/lr) starts at {numbers['start'].min():.3g} to {numbers['start'].max():.3g} and is "
        f"{numbers['measured'].min():.4g} to "
        f"{numbers['measured'].max():.4g} over the last quarter; the loss rises at {int(numbers['rises_before'].sum())} "
        "steps before the edge is "
        f"reached (step {numbers['reached'].min():.0f} to {numbers['reached'].max():.0f}) and at "
        f"{int(numbers['rises_after'].min())} or more in each net after."
    )
    return Estimate(
        finding.verdict(conditions),
        reason,
        quantity="sharpness ÷ (2/lr), mean over the last quarter of the steps",
        published=float(finding.values["ratio"]),
        theory=1.0,
        measured=hover.value,
        low=hover.low,
        high=hover.high,
        interval=f"95 % over {hover.n} seeds, of the arithmetic mean",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "curves": curves, "losses": losses},
    )


def _sharpness(tables: Results) -> pd.DataFrame:
    frame = steps_beside(tables, ["seed", "lr"])
    return frame.assign(measured=frame["sharpness"] * frame["lr"] / 2)[["seed", "lr", "step", "measured"]]


def _losses(tables: Results) -> pd.DataFrame:
    frame = steps_beside(tables, ["seed"]).sort_values(["seed", "step"])
    rises = frame.groupby("seed")["loss"].diff() > 0  # at the row after the step
    return frame.assign(rises=rises)[["seed", "step", "loss", "rises"]]


def _numbers(curves: pd.DataFrame, losses: pd.DataFrame, edge: float) -> pd.DataFrame:
    """Return one row a net: sharpness at the start and in the last quarter, when it reached the edge, rises of the loss."""
    rows = []
    for (seed,), curve in groups(curves, ["seed"]):
        curve = curve.sort_values("step")
        own = losses[losses["seed"] == seed]
        at_edge = curve.loc[curve["measured"] >= edge, "step"]
        reached = float(at_edge.iloc[0]) if len(at_edge) else np.inf
        late = curve[curve["step"] >= 0.75 * curve["step"].max()]["measured"]
        rows.append({
            "seed": seed, "start": curve["measured"].iloc[0], "measured": late.mean(), "low": late.min(), "high": late.max(),
            "reached": reached, "rises_before": int(own.loc[own["step"] <= reached, "rises"].sum()),
            "rises_after": int(own.loc[own["step"] > reached, "rises"].sum()), "final_loss": own["loss"].iloc[-1],
        })  # fmt: skip
    return pd.DataFrame(rows).assign(published=1.0)
