"""Runs that differ in their seed alone, as one setting: its factor, its interval and the verdict on it."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from experiments.diagnosis.evidence import causes_in
from experiments.diagnosis.rule import group_factor
from experiments.diagnosis.verdict import judge_group
from experiments.text.words import words


def summarize_groups(runs: pd.DataFrame, axes: list[str]) -> pd.DataFrame:
    """Summarize runs that differ in their seed alone.

    Args:
        runs: the runs table.
        axes: the config columns that vary.

    Returns:
        One row a setting: `axes`, n_runs, delta_factor (geometric mean) with its 95 % interval (`_lo`, `_hi`; over seeds,
        within the runs where there are fewer than three) and the smallest and largest, delta_factor_arithmetic (from the
        mean square of the end-to-end ratio), delta_factor_theory, final_loss (median), accuracies (mean), n_diverged, signal and outcome
        (the commonest), skill (median), n_learns, causes (each with the
        number of runs that have it), verdict on the setting, n_agree (runs that share it) and verdict_reason.
    """
    work = runs.copy()
    if not axes:
        work["_all"] = 0
    keys = axes or ["_all"]
    rows = []
    for values, group in work.groupby(keys, dropna=False, sort=False, observed=True):
        columns: dict[str, Any] = {name: group[name].to_numpy() for name in _OF_GROUPS}
        measured = columns["delta_factor"].astype(np.float64)
        measured = measured[np.isfinite(measured) & (measured > 0)]
        factor = group_factor(columns)
        verdict = judge_group(columns, factor)
        theory = columns["delta_factor_theory"].astype(np.float64)
        theory = theory[np.isfinite(theory)]
        rows.append({
            **dict(zip(axes, values, strict=False)),
            "n_runs": len(group),
            "delta_factor": factor.value,
            "delta_factor_lo": factor.low,
            "delta_factor_hi": factor.high,
            "delta_factor_min": measured.min() if len(measured) else math.nan,
            "delta_factor_max": measured.max() if len(measured) else math.nan,
            "delta_factor_arithmetic": factor.arithmetic,
            "delta_factor_theory": theory.mean() if len(theory) else math.nan,
            "final_loss": group["final_loss"].dropna().median(),  # of NaN alone, pandas 2 warns
            "final_accuracy": group["final_accuracy"].mean(),
            "test_accuracy": group["test_accuracy"].mean(),
            "n_diverged": int((group["status"] == "diverged").sum()),
            "signal": _commonest(group["signal"]),
            "outcome": _commonest(group["outcome"]),
            "skill": group["skill"].dropna().median(),
            "n_learns": int((group["outcome"] == "learns").sum()),
            "causes": common_causes(group),
            "verdict": verdict.name,
            "n_agree": int((group["verdict"] == verdict.name).sum()),
            "verdict_reason": verdict.reason,
        })  # fmt: skip
    return pd.DataFrame(rows)


_OF_GROUPS = ("delta_factor", "delta_factor_lo", "delta_factor_hi", "delta_factor_theory", "depth", "status", "verdict")


def _commonest(outcomes: "pd.Series[Any]") -> str | None:
    known = outcomes.dropna()
    return None if known.empty else str(known.value_counts(sort=False).idxmax())


def common_causes(runs: pd.DataFrame) -> str:
    """Say the causes of runs with the number of runs that have each: dead 8/10, saturated 3/10; nothing where there are none."""
    counts = Counter(cause["cause"] for cell in runs["causes"] for cause in causes_in(cell))
    return ", ".join(f"{words(name)} {count}/{len(runs)}" for name, count in counts.most_common())


def verdict_text(group: Mapping[Any, Any]) -> str:
    """Write the verdict on a setting, with the number of its runs that share it where they disagree."""
    name, agree, n = group["verdict"], group["n_agree"], group["n_runs"]
    return str(name) if agree == n else f"{name} ({agree}/{n})"
