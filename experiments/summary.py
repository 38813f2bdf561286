"""What a sweep prints: per-layer norms of one run with a text bar, or one line a setting."""

import math
from typing import Any

import numpy as np
import pandas as pd

from experiments.statistics import delta_factor, summarize_groups, varying
from experiments.store import Tables
from experiments.verdicts import judge

_BAR = 30
_MOST_LAYERS = 60
_MOST_ROWS = 60


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
    factor = delta_factor(norms[1:-1])
    diverged = None if pd.isna(run["diverged_at_step"]) else int(run["diverged_at_step"])
    verdict = judge(step0, factor, diverged)
    interval = f" (95 % {_short(factor.low)}–{_short(factor.high)})" if not math.isnan(factor.low) else ""
    lines = [
        f"δ norm by layer at step 0 (layer 0 is the input; bars are logarithmic, {_range(norms)})",
        format_table(rows),
        f"factor per hidden layer, toward the input: {_short(factor.value)}{interval}, theory {_short(run['delta_factor_theory'])}",
        f"loss {_short(run['final_loss'])}, accuracy {_short(run['final_accuracy'])}, test accuracy {_short(run['test_accuracy'])}",
        f"verdict: {verdict.name}: {verdict.reason}",
    ]
    return "\n".join(lines)


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
        ends = (group["delta_factor_min"], group["delta_factor_max"])
        spread = "–" if math.isnan(ends[0]) else f"{_short(ends[0])}–{_short(ends[1])}"
        rows.append({
            **{axis: group[axis] for axis in axes},
            "runs": group["n_runs"],
            "factor": group["delta_factor"],
            "min–max": spread,
            "theory": group["delta_factor_theory"],
            "loss": group["final_loss"],
            "accuracy": group["final_accuracy"],
            "test": group["test_accuracy"],
            "verdict": group["verdict"],
        })  # fmt: skip
    text = format_table(rows[:_MOST_ROWS])
    if len(rows) > _MOST_ROWS:
        text += f"\n… and {len(rows) - _MOST_ROWS} more settings; --json or `gradstab export` gives them all"
    return f"{text}\nfactor: geometric mean of δ^l/δ^(l+1) over hidden layers at step 0, < 1 vanishing toward the input"


def as_json(tables: Tables) -> list[dict[str, Any]]:
    """Return the printed content as JSON-ready rows: one a run, its config, results and step-0 δ norms by layer."""
    step0 = tables.layers[tables.layers["step"] == 0]
    profiles = {run_id: frame.sort_values("layer") for run_id, frame in step0.groupby("run_id", sort=False)}
    rows = []
    for row in tables.runs.to_dict("records"):
        clean = {str(key): _plain(value) for key, value in row.items()}
        profile = profiles.get(row["run_id"])
        clean["delta_norm"] = [] if profile is None else [_plain(value) for value in profile["delta_norm"]]
        rows.append(clean)
    return rows


def _plain(value: Any) -> Any:
    """Return a JSON value; what JSON cannot hold (NaN, infinities) becomes null or a string."""
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value
