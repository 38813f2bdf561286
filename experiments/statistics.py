"""Estimates from tables: frames in, frames out; nothing here draws."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from bpcore.arrays import FloatArray
from experiments.config import GROUPS, SCALARS

CONFIDENCE = 0.95
AGGREGATED = ("seed",)
"""Axes that are averaged over instead of being shown: repetitions."""


@dataclass(frozen=True)
class Factor:
    """Hold a per-layer factor of the norm of δ.

    Args:
        value: geometric mean of the factors; below 1 δ vanishes toward the input, above 1 it explodes.
        low: lower end of the 95 % interval, NaN with fewer than two factors.
        high: upper end.
        end_to_end: product of the factors: the first layer's norm over the last hidden layer's.
        count: number of factors.
    """

    value: float
    low: float
    high: float
    end_to_end: float
    count: int


def delta_factor(norms: FloatArray) -> Factor:
    """Estimate the factor per layer from the norms of the hidden layers, first to last.

    exp(mean of ln δ^l/δ^(l+1)); the interval is Student's over these increments, because ln δ over layers is a random
    walk, whose increments are independent while its values are not. Pairs with a norm that is 0 or not finite have no
    finite logarithm and are left out.

    Args:
        norms: delta_norm of hidden layers 1…D.

    Returns:
        The factor; all NaN where no pair is left.
    """
    with np.errstate(all="ignore"):
        increments = np.log(norms[:-1]) - np.log(norms[1:])
    increments = increments[np.isfinite(increments)]
    count = len(increments)
    if count == 0:
        return Factor(math.nan, math.nan, math.nan, math.nan, 0)
    mean = float(increments.mean())
    half = math.nan
    if count > 1:
        half = float(special.stdtrit(count - 1, (1 + CONFIDENCE) / 2) * increments.std(ddof=1) / math.sqrt(count))
    return Factor(_exp(mean), _exp(mean - half), _exp(mean + half), _exp(float(increments.sum())), count)


def _exp(x: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.exp(x))


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


def geometric_band(frame: pd.DataFrame, by: list[str], value: str) -> pd.DataFrame:
    """Summarize a positive value over repetitions.

    Args:
        frame: one row a repetition and group.
        by: grouping columns; may be empty.
        value: the column, ≥ 0; zeros and non-finite values have no logarithm and are only counted.

    Returns:
        Columns `by`, `mean` (geometric), `low` and `high` (smallest and largest), `n` (used), `n_left_out`.
    """
    usable = np.isfinite(frame[value]) & (frame[value] > 0)
    work = frame[by].copy()
    work["log"] = np.log(frame[value].where(usable))
    work["left_out"] = ~usable
    if not by:
        work["_all"] = 0
    grouped = work.groupby(by or ["_all"], dropna=False, sort=False, observed=True)
    result = grouped["log"].agg(["mean", "min", "max", "count"]).reset_index()
    result["n_left_out"] = grouped["left_out"].sum().to_numpy()
    for name in ("mean", "min", "max"):
        result[name] = np.exp(result[name])
    result = result.rename(columns={"min": "low", "max": "high", "count": "n"})
    return result.drop(columns=[] if by else ["_all"])


def band(frame: pd.DataFrame, by: list[str], value: str) -> pd.DataFrame:
    """Summarize a value over repetitions.

    Args:
        frame: one row a repetition and group.
        by: grouping columns; may be empty.
        value: the column; non-finite values are only counted.

    Returns:
        Columns `by`, `mean` (arithmetic), `low` and `high` (smallest and largest), `n` (used), `n_left_out`.
    """
    usable = np.isfinite(frame[value])
    work = frame[by].copy()
    work["value"] = frame[value].where(usable)
    work["left_out"] = ~usable
    if not by:
        work["_all"] = 0
    grouped = work.groupby(by or ["_all"], dropna=False, sort=False, observed=True)
    result = grouped["value"].agg(["mean", "min", "max", "count"]).reset_index()
    result["n_left_out"] = grouped["left_out"].sum().to_numpy()
    result = result.rename(columns={"min": "low", "max": "high", "count": "n"})
    return result.drop(columns=[] if by else ["_all"])


def summarize_groups(runs: pd.DataFrame, axes: list[str]) -> pd.DataFrame:
    """Summarize runs that differ in their seed alone.

    Args:
        runs: the runs table.
        axes: the config columns that vary.

    Returns:
        One row a setting: `axes`, n_runs, delta_factor (geometric mean) with the smallest and largest,
        delta_factor_theory, final_loss (median), accuracies (mean), n_diverged, verdict (the most frequent; the
        number of runs that share it where they disagree).
    """
    work = runs.copy()
    if not axes:
        work["_all"] = 0
    keys = axes or ["_all"]
    rows = []
    for values, group in work.groupby(keys, dropna=False, sort=False, observed=True):
        factors = geometric_band(group, [], "delta_factor").iloc[0]
        counts = group["verdict"].value_counts()
        verdict = counts.index[0] if len(counts) else ""
        rows.append({
            **dict(zip(axes, values, strict=False)),
            "n_runs": len(group),
            "delta_factor": factors["mean"],
            "delta_factor_min": factors["low"],
            "delta_factor_max": factors["high"],
            "delta_factor_theory": group["delta_factor_theory"].mean(),
            "final_loss": group["final_loss"].median(),
            "final_accuracy": group["final_accuracy"].mean(),
            "test_accuracy": group["test_accuracy"].mean(),
            "n_diverged": int((group["status"] == "diverged").sum()),
            "verdict": verdict if len(counts) <= 1 else f"{verdict} ({counts.iloc[0]}/{len(group)})",
        })  # fmt: skip
    return pd.DataFrame(rows)
