"""Estimates from tables: frames in, frames out; nothing here draws."""

from typing import Any

import numpy as np
import pandas as pd

from experiments.config.keys import GROUPS, SCALARS
from experiments.statistics.intervals import Paired, paired

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
    within = runs.groupby(group, observed=True)[column].nunique(dropna=False)  # null is a value where the choice has the key
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
