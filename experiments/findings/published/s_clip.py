"""Clipping the norm of exploding gradients: the bound on every update, and which thresholds train."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings import intervals
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding, not_testable
from experiments.findings.frames import groups
from experiments.statistics.intervals import proportion
from experiments.store.tables import Results


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Estimate which share of the nets trains, at every threshold and without clipping.

    Args:
        results: of the sweeps `clipped` and `unclipped`.
        finding: with its thresholds and `values.least` and `values.most`, the published range of thresholds over the mean norm.

    Returns:
        The estimate; its numbers are the share of nets that train at thresholds in the published range.
    """
    clipped, plain = results["clipped"], results["unclipped"]
    slow = plain.runs["lr"] == plain.runs["lr"].min()
    norms = plain.steps[plain.steps["run_id"].isin(plain.runs.loc[slow, "run_id"])]["grad_norm"]
    mean_norm = float(norms[np.isfinite(norms)].mean())
    if not mean_norm > 0:
        return not_testable("No net trains without clipping even at a hundredth of the lr, so there is no mean norm.", len(plain.runs))
    trained_from = finding.threshold("trained_from")
    numbers = _numbers(clipped, mean_norm, trained_from)
    inside = numbers[numbers["multiple"].between(finding.values["least"], finding.values["most"])]
    excess = float(
        (clipped.steps["grad_norm_clipped"] / clipped.steps["run_id"].map(clipped.runs.set_index("run_id")["clip.threshold"])).max()
    )
    trained = _trained(plain.runs[~slow], trained_from)
    without = intervals.share(trained)
    share = proportion(round(float((inside["measured"] * inside["n"]).sum())), int(inside["n"].sum()))
    conditions = [
        bounded("clipped norm ÷ threshold, at most", excess, most=1 + finding.threshold("rounding")),
        bounded("share of nets that train without clipping", without.value, most=finding.threshold("survive_without")),
        bounded("share that trains, at thresholds in the published range", inside["measured"], least=finding.threshold("train_with")),
    ]
    failing = inside[inside["measured"] < finding.threshold("train_with")]
    reason = (
        f"The clipped norm is at most {excess:.7g} times the threshold. Without clipping {100 * without.value:.3g} % of the "
        "nets train; the mean norm is "
        f"{mean_norm:.3g}, and at thresholds from {finding.values['least']:g} to {finding.values['most']:g} times it "
        f"{100 * share.value:.3g} % do"
        + (f" (too few at {', '.join(f'{multiple:.2g}' for multiple in failing['multiple'])} times)." if len(failing) else ".")
    )
    return Estimate(
        finding.verdict(conditions),
        reason,
        quantity="share of nets that train at thresholds of ½ to 10 mean norms",
        published=1.0,
        measured=share.value,
        low=share.low,
        high=share.high,
        interval=f"95 % over {share.n} runs, Wilson",
        n=len(clipped.runs) + len(plain.runs),
        tables={
            "numbers": numbers,
            "without": pd.DataFrame([{**without.row()}]),
            "range": pd.DataFrame([{"least": finding.values["least"], "most": finding.values["most"], "mean_norm": mean_norm}]),
            "norms": _norms(clipped, plain, ~slow, mean_norm),
        },
    )


def _trained(runs: pd.DataFrame, trained_from: float) -> "pd.Series[bool]":
    return (runs["status"] != "diverged") & (runs["final_accuracy"].astype(float) >= trained_from)


def _numbers(tables: Results, mean_norm: float, trained_from: float) -> pd.DataFrame:
    """Return one row a threshold: in units of the mean norm, share of nets that train, share of updates that were clipped."""
    clipped = tables.steps.groupby("run_id")["clipped"].apply(lambda marks: pd.to_numeric(marks, errors="coerce").mean())
    rows = []
    for (threshold,), runs in groups(tables.runs, ["clip.threshold"]):
        share = intervals.share(_trained(runs, trained_from))
        rows.append({
            "threshold": threshold, "multiple": threshold / mean_norm, "measured": share.value, "low": share.low, "high": share.high,
            "accuracy": float(runs["final_accuracy"].astype(float).mean()), "diverged": int((runs["status"] == "diverged").sum()),
            "clipped_updates": float(runs["run_id"].map(clipped).mean()), "n": len(runs),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _norms(clipped: Results, plain: Results, fast: "pd.Series[bool]", mean_norm: float) -> pd.DataFrame:
    """Return the norm by step, before and after clipping, median over seeds: at the threshold next to the mean norm, and without."""
    nearest = clipped.runs["clip.threshold"].iloc[(np.log(clipped.runs["clip.threshold"] / mean_norm)).abs().argmin()]
    own = clipped.steps[clipped.steps["run_id"].isin(clipped.runs.loc[clipped.runs["clip.threshold"] == nearest, "run_id"])]
    bare = plain.steps[plain.steps["run_id"].isin(plain.runs.loc[fast, "run_id"])]
    parts = [
        own.groupby("step")["grad_norm"].median().rename("before clipping"),
        own.groupby("step")["grad_norm_clipped"].median().rename("after clipping"),
        bare.groupby("step")["grad_norm"].median().rename("without clipping"),
    ]
    frame = pd.concat(parts, axis=1).rename_axis("step").reset_index().melt("step", var_name="which", value_name="measured")
    finite: pd.DataFrame = frame[np.isfinite(frame["measured"])]
    return finite.assign(threshold=nearest)
