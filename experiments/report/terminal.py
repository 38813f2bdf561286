"""What a sweep prints: per-layer norms of one run with a text bar, or one line a setting."""

import math
from typing import Any

import numpy as np
import pandas as pd

from experiments.diagnosis.groups import summarize_groups, verdict_text
from experiments.diagnosis.signal import Verdict, judge
from experiments.statistics.factors import decay, log_delta_norm, log_factor
from experiments.statistics.groups import varying
from experiments.store.tables import Tables

_BAR = 30
_MOST_LAYERS = 60
_MOST_ROWS = 60
_MOST_REASONS = 6


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it is due."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _short(value: Any) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return f"{value:.3g}" if isinstance(value, (float, np.floating)) else str(value)


def format_table(rows: list[dict[str, Any]]) -> str:
    """Align rows of the same keys under their names, numbers to three digits."""
    names = list(rows[0])
    cells = [names, *([_short(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells)


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
    factor = log_factor(logs)
    verdict = verdict_of(run, step0)
    interval = f" (95 % {_short(factor.low)}–{_short(factor.high)})" if not math.isnan(factor.low) else ""
    lines = [
        f"δ norm by layer at step 0 (layer 0 is the input; bars are logarithmic, {_range(norms)})",
        format_table(rows),
        f"factor per hidden layer, toward the input: {_short(factor.value)}{interval}, theory {_short(run['delta_factor_theory'])}",
        *_not_geometric(logs),
        f"loss {_short(run['final_loss'])}, accuracy {_short(run['final_accuracy'])}, test accuracy {_short(run['test_accuracy'])}",
        f"verdict: {verdict.name}: {verdict.reason}",
    ]
    return "\n".join(lines)


def verdict_of(run: Any, step0: Any) -> Verdict:
    """Judge a finished run from its rows, for the reason that the tables do not hold.

    Args:
        run: its row of the runs table.
        step0: its rows of the layers table at step 0, as a frame or as arrays, layers 0…L in order.

    Returns:
        The verdict.
    """
    diverged = None if pd.isna(run["diverged_at_step"]) else int(run["diverged_at_step"])
    return judge(step0, log_factor(log_delta_norm(step0)[1:-1]), diverged, float(run["delta_factor_theory"]))


def _not_geometric(logs: "np.ndarray[Any, Any]") -> list[str]:
    fit = decay(logs)
    if fit.shape == "geometric":
        return []
    law = f"; δ goes as (layer)^{fit.exponent:.2g} rather than by one factor" if fit.shape == "polynomial" else ""
    return [f"the factor drifts along the depth (p = {fit.p_geometric:.1g}, R² of one factor {fit.r_squared:.3g}){law}"]


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
    return f"{positive.min():.2g} to {positive.max():.2g}" if len(positive) else "no finite norm"


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
        ends = (group["delta_factor_lo"], group["delta_factor_hi"])
        interval = "–" if math.isnan(ends[0]) else f"{_short(ends[0])}–{_short(ends[1])}"
        rows.append({
            **{axis: group[axis] for axis in axes},
            "runs": group["n_runs"],
            "factor": group["delta_factor"],
            "95 %": interval,
            "theory": group["delta_factor_theory"],
            "loss": group["final_loss"],
            "accuracy": group["final_accuracy"],
            "test": group["test_accuracy"],
            "verdict": verdict_text(group),
        })  # fmt: skip
    text = format_table(rows[:_MOST_ROWS])
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
        where = " ".join(f"{axis}={_short(group[axis])}" for axis in axes if not pd.isna(group[axis]))
        lines.append(f"{where + ': ' if where else ''}{group['verdict']}: {group['verdict_reason']}")
    return lines


def as_json(tables: Tables) -> list[dict[str, Any]]:
    """Return the printed content as JSON-ready rows: one a run, its config, results, the verdict's reason and step-0 δ norms by layer."""
    step0 = tables.layers[tables.layers["step"] == 0].sort_values(["run_id", "layer"], kind="stable")
    columns = {str(name): step0[name].to_numpy() for name in step0.columns}
    starts = np.flatnonzero(np.r_[True, columns["run_id"][1:] != columns["run_id"][:-1]]) if len(step0) else np.array([], int)
    ends = [*starts[1:], len(step0)]
    profiles = {columns["run_id"][a]: {name: values[a:b] for name, values in columns.items()} for a, b in zip(starts, ends, strict=True)}
    rows = []
    for row in tables.runs.to_dict("records"):
        clean = {str(key): plain(value) for key, value in row.items()}
        profile = profiles.get(row["run_id"])
        clean["verdict_reason"] = None if profile is None else verdict_of(row, profile).reason
        clean["delta_norm"] = [] if profile is None else [plain(value) for value in profile["delta_norm"]]
        rows.append(clean)
    return rows


def plain(value: Any) -> Any:
    """Return a JSON value; what JSON cannot hold (NaN, infinities) becomes null or a string."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value
