"""Estimates from tables: frames in, frames out; nothing here draws."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from experiments.config import GROUPS, SCALARS
from experiments.factors import CONFIDENCE, Decay, Factor, decay, delta_factor, log_delta_norm, log_factor
from experiments.intervals import Interval, Paired, geometric_interval, mean_interval, paired, proportion
from experiments.verdicts import group_factor, judge_group

__all__ = [
    "AGGREGATED", "CONFIDENCE", "Decay", "Factor", "Interval", "Paired", "compare", "decay", "delta_factor", "geometric_interval",
    "linear_band", "log_band", "log_delta_norm", "log_factor", "mean_interval", "paired", "proportion", "summarize_groups",
    "varying", "verdict_text",
]  # fmt: skip
AGGREGATED = ("seed",)
"""Axes that are averaged over instead of being shown: repetitions."""


def varying(runs: pd.DataFrame) -> list[str]:
    """Return the config columns that take more than one value, repetitions (`seed`) left out.

    A key that merely comes with another choice (clip.threshold, empty without clipping) counts only if it varies
    where it exists.

    Args:
        runs: the runs table.

    Returns:
        Column names, groups and scalars first, then dotted keys.
    """
    known = [*GROUPS, *SCALARS, "folder"]
    candidates = [c for c in runs.columns if c not in AGGREGATED and (c in known or c.partition(".")[0] in GROUPS)]
    return sorted((c for c in candidates if _varies(runs, c)), key=lambda c: ("." in c, known.index(c.partition(".")[0])))


def _varies(runs: pd.DataFrame, column: str) -> bool:
    group, _, key = column.partition(".")
    if not key:
        return bool(runs[column].nunique(dropna=False) > 1)
    within = runs.dropna(subset=[column]).groupby(group, observed=True)[column].nunique()
    return bool((within > 1).any())


def log_band(frame: pd.DataFrame, by: list[str], value: str) -> pd.DataFrame:
    """Summarize a value ≥ 0 over repetitions on a logarithmic scale.

    Args:
        frame: one row a repetition and group.
        by: grouping columns; may be empty.
        value: the column.

    Returns:
        Columns `by`, `mean` (geometric), `low`, `high` (smallest and largest), `n` (used), `n_zero`, `n_not_finite`.
    """
    finite = np.isfinite(frame[value])
    positive = finite & (frame[value] > 0)
    return _summary(frame, by, np.log(frame[value].where(positive)), positive, finite, np.exp)


def linear_band(frame: pd.DataFrame, by: list[str], value: str) -> pd.DataFrame:
    """Summarize a value over repetitions; columns as `log_band`'s, the mean arithmetic, zeros used like any value."""
    finite = np.isfinite(frame[value])
    return _summary(frame, by, frame[value].where(finite), finite, finite, lambda x: x)


def _summary(frame: pd.DataFrame, by: list[str], work: Any, used: Any, finite: Any, back: Any) -> pd.DataFrame:
    wide = frame[by].copy()
    wide["_all"], wide["_value"] = 0, work
    wide["n_zero"], wide["n_not_finite"] = finite & ~used, ~finite
    grouped = wide.groupby(by or ["_all"], dropna=False, sort=False, observed=True)
    values = grouped["_value"]
    result = grouped[["n_zero", "n_not_finite"]].sum().astype("int64")
    result.insert(0, "mean", back(values.mean()))
    result.insert(1, "low", back(values.min()))
    result.insert(2, "high", back(values.max()))
    result.insert(3, "n", values.count())
    return result.reset_index().drop(columns=[] if by else ["_all"])


def summarize_groups(runs: pd.DataFrame, axes: list[str]) -> pd.DataFrame:
    """Summarize runs that differ in their seed alone.

    Args:
        runs: the runs table.
        axes: the config columns that vary.

    Returns:
        One row a setting: `axes`, n_runs, delta_factor (geometric mean) with its 95 % interval (`_lo`, `_hi`; over seeds,
        within the runs where there are fewer than three) and the smallest and largest, delta_factor_arithmetic (from the
        mean square of the end-to-end ratio), delta_factor_theory, final_loss (median), accuracies (mean), n_diverged,
        verdict on the setting, n_agree (runs that share it) and verdict_reason.
    """
    work = runs.copy()
    if not axes:
        work["_all"] = 0
    keys = axes or ["_all"]
    rows = []
    for values, group in work.groupby(keys, dropna=False, sort=False, observed=True):
        columns: dict[str, Any] = {name: group[name].to_numpy() for name in _OF_GROUPS if name in group.columns}
        columns |= {name: np.full(len(group), np.nan) for name in _OF_GROUPS if name not in group.columns}
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
            "verdict": verdict.name,
            "n_agree": int((group["verdict"] == verdict.name).sum()),
            "verdict_reason": verdict.reason,
        })  # fmt: skip
    return pd.DataFrame(rows)


_OF_GROUPS = ("delta_factor", "delta_factor_lo", "delta_factor_hi", "delta_factor_theory", "depth", "status", "verdict")


def compare(runs: pd.DataFrame, before: "pd.Series[bool]", after: "pd.Series[bool]", column: str, ratio: bool = False) -> Paired:
    """Compare two settings over the seeds that both have.

    Args:
        runs: the runs table.
        before: which rows are the one setting.
        after: which rows are the other.
        column: what is compared.
        ratio: compare as a ratio, by logarithms.

    Returns:
        The paired comparison, after against before.

    Raises:
        ValueError: a setting has a seed twice, so that its rows are more than one setting.
    """
    first, second = (runs.loc[rows].set_index("seed")[column].astype("float64") for rows in (before, after))
    for name, values in (("before", first), ("after", second)):
        if values.index.has_duplicates:
            raise ValueError(f"`{name}` must be one setting, got the seed {values.index[values.index.duplicated()][0]} more than once")
    seeds = first.index.intersection(second.index)
    return paired(np.asarray(first.loc[seeds], dtype=np.float64), np.asarray(second.loc[seeds], dtype=np.float64), ratio)


def verdict_text(group: Mapping[Any, Any]) -> str:
    """Write the verdict on a setting, with the number of its runs that share it where they disagree."""
    name, agree, n = group["verdict"], group["n_agree"], group["n_runs"]
    return str(name) if agree == n else f"{name} ({agree}/{n})"
