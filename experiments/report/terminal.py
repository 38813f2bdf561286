"""What a sweep prints: per-layer norms of one run with a text bar, or one line a setting."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from experiments.diagnosis.evidence import causes_of
from experiments.diagnosis.groups import summarize_groups, verdict_text
from experiments.report import diagnosis
from experiments.statistics.factors import decay, log_delta_norm, log_factor
from experiments.statistics.groups import varying
from experiments.store.tables import Tables
from experiments.text.numbers import interval, label, missing, number
from experiments.text.tables import from_records

_BAR = 30
_MOST_LAYERS = 60
_MOST_ROWS = 60
_MOST_REASONS = 6


def describe_run(tables: Tables) -> str:
    """Return the summary of a single run: δ norms by layer at the first step, factor, verdict.

    Args:
        tables: of one run.

    Returns:
        Text of several lines.
    """
    run = tables.runs.iloc[0]
    if run["status"] == "failed":
        return f"failed: {str(run['error']).splitlines()[0]}"
    step0 = tables.layers[tables.layers["step"] == 0].set_index("layer", drop=False)
    norms = step0["delta_norm"].to_numpy()
    bars = _bars(norms)
    rows = [
        {"layer": str(layer), "delta_norm": norm, "theory": theory, "bar": bar}
        for layer, norm, theory, bar in zip(step0["layer"], norms, step0["delta_norm_theory"], bars, strict=True)
    ]
    if len(rows) > _MOST_LAYERS:
        skipped = {"layer": "…", "delta_norm": f"({len(rows) - 40} layers)", "theory": "", "bar": ""}
        rows = [*rows[:20], skipped, *rows[-20:]]
    logs = log_delta_norm(step0)[1:-1]
    factor = log_factor(logs, 2 if run.get("skip") == "block" else 1)
    within = f" (95 % {interval(factor.low, factor.high)})" if not missing(factor.low) else ""
    lines = [
        f"δ norm by layer at step 0 (layer 0 is the input; bars are logarithmic, {_range(norms)})",
        from_records(rows).terminal(),
        f"factor per hidden layer, toward the input: {number(factor.value)}{within}, theory {number(run['delta_factor_theory'])}",
        *(_not_geometric(logs) if run.get("skip") != "block" else []),
        f"loss {number(run['final_loss'])}, accuracy {number(run['final_accuracy'])}, test accuracy {number(run['test_accuracy'])}",
        *diagnosis.lines(run.to_dict()),
    ]
    return "\n".join(lines)


def _not_geometric(logs: "np.ndarray[Any, Any]") -> list[str]:
    fit = decay(logs)
    if fit.shape == "geometric":
        return []
    law = f"; δ goes as (layer)^{number(fit.exponent, 2)} rather than by one factor" if fit.shape == "polynomial" else ""
    return [f"the factor drifts along the depth (p = {number(fit.p_geometric, 1)}, R² of one factor {number(fit.r_squared)}){law}"]


def _bars(norms: "np.ndarray[Any, Any]") -> list[str]:
    with np.errstate(all="ignore"):
        logs = np.log10(norms)
    finite = logs[np.isfinite(logs)]
    if not len(finite):
        return ["" for _ in norms]
    low, high = float(finite.min()), float(finite.max())
    span = max(high - low, 1.0)
    return [("█" * (1 + round((_BAR - 1) * (log - high + span) / span))).ljust(_BAR) if np.isfinite(log) else " " * _BAR for log in logs]


def _range(norms: "np.ndarray[Any, Any]") -> str:
    positive = norms[np.isfinite(norms) & (norms > 0)]
    return f"{number(positive.min(), 2)} to {number(positive.max(), 2)}" if len(positive) else "no finite norm"


def describe_sweep(tables: Tables) -> str:
    """Return the summary of a sweep: one line a setting, over its seeds.

    Args:
        tables: of all runs.

    Returns:
        Text of several lines.
    """
    axes = varying(tables.runs)
    groups = summarize_groups(tables.runs, axes)
    rows = []
    for group in groups.to_dict("records"):
        rows.append({
            **{axis: label(group[axis]) for axis in axes},
            "runs": group["n_runs"],
            "factor": group["delta_factor"],
            "95 %": interval(group["delta_factor_lo"], group["delta_factor_hi"]),
            "theory": group["delta_factor_theory"],
            "loss": group["final_loss"],
            "accuracy": group["final_accuracy"],
            "test": group["test_accuracy"],
            "outcome": group["outcome"],
            "verdict": verdict_text(group),
        })  # fmt: skip
    text = from_records(rows[:_MOST_ROWS]).terminal()
    if len(rows) > _MOST_ROWS:
        text += f"\n… and {len(rows) - _MOST_ROWS} more settings; --json or `gradstab export` gives them all"
    legend = "factor: geometric mean of δ^l/δ^(l+1) over hidden layers at step 0, < 1 vanishing toward the input"
    return "\n".join([text, legend, *_reasons(groups, axes)])


def _reasons(groups: pd.DataFrame, axes: list[str]) -> list[str]:
    """Return the reasons of all settings where they are few, else that of each verdict's most extreme setting."""
    shown = groups
    if len(groups) > _MOST_REASONS:
        with np.errstate(all="ignore"):
            size = np.abs(np.log(groups["delta_factor"].to_numpy(dtype=np.float64)))
        order = np.argsort(-np.nan_to_num(size), kind="stable")
        shown = groups.iloc[order].drop_duplicates("verdict").sort_index()
    lines = []
    for group in shown.to_dict("records"):
        where = " ".join(f"{axis}={label(group[axis])}" for axis in axes if not missing(group[axis]))
        lines.append(f"{where + ': ' if where else ''}{group['verdict']}: {group['verdict_reason']}{_causes(group)}")
    return lines


def _causes(group: Mapping[Any, Any]) -> str:
    return f"; causes: {group['causes']}" if group["causes"] else ""


def run_rows(tables: Tables) -> list[dict[str, Any]]:
    """Return the printed content as rows for JSON: one a run, its config, results, causes and step-0 δ norms by layer."""
    step0 = tables.layers[tables.layers["step"] == 0].sort_values(["run_id", "layer"], kind="stable")
    columns = {str(name): step0[name].to_numpy() for name in step0.columns}
    starts = np.flatnonzero(np.r_[True, columns["run_id"][1:] != columns["run_id"][:-1]]) if len(step0) else np.array([], int)
    ends = [*starts[1:], len(step0)]
    profiles = {columns["run_id"][a]: {name: values[a:b] for name, values in columns.items()} for a, b in zip(starts, ends, strict=True)}
    rows = []
    for row in tables.runs.to_dict("records"):
        clean = {str(key): value for key, value in row.items()}
        profile = profiles.get(row["run_id"])
        clean["causes"] = causes_of(row)
        clean["delta_norm"] = [] if profile is None else list(profile["delta_norm"])
        rows.append(clean)
    return rows
