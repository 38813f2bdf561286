"""What findings on residual nets read off the tables: ‖δ‖² and the mean square of the stream, block by block, means over seeds."""

import math
from typing import Any

import numpy as np
import pandas as pd

from experiments.findings.frames import groups, layers_at
from experiments.findings.intervals import mean
from experiments.statistics.intervals import Interval
from experiments.store.tables import Results

SPANS = {"preactivation": 1, "block": 2, "postactivation": 1}
"""Layers of a block, by kind of skip."""


def sums(tables: Results, by: list[str]) -> pd.DataFrame:
    """Return every sum of every run before training: the first layer's, on which the blocks stand, and one a block.

    Args:
        tables: of a sweep over residual nets.
        by: columns of the runs table that tell settings apart.

    Returns:
        Columns `by`, run_id, blocks (L), block (0…L, toward the output), delta (‖δ‖² of the sum over that of the last), theory (the same
        as predicted), stream (variance of the sum over that of the first), z_var and delta_norm.
    """
    rows = layers_at(tables, 0, [*dict.fromkeys([*by, "skip", "depth"])])
    span = rows["skip"].map(SPANS)
    rows = rows[(rows["layer"] - 1) % span == 0].assign(block=(rows["layer"] - 1) // span, blocks=(rows["depth"] - 1) // span)
    rows = rows.sort_values(["run_id", "block"]).reset_index(drop=True)
    of_run = rows.groupby("run_id")
    return rows[[*by, "run_id", "blocks", "block", "z_var", "delta_norm"]].assign(
        delta=(rows["delta_norm"] / of_run["delta_norm"].transform(_last)) ** 2,
        theory=(rows["delta_norm_theory"] / of_run["delta_norm_theory"].transform(_last)) ** 2,
        stream=rows["z_var"] / of_run["z_var"].transform(_first),
    )


def _first(values: "pd.Series[float]") -> float:
    return float(values.iloc[0])


def _last(values: "pd.Series[float]") -> float:
    return float(values.iloc[-1])


def over_seeds(rows: pd.DataFrame, by: list[str], value: str = "delta") -> pd.DataFrame:
    """Return the arithmetic mean over seeds of a column of `sums`, with its interval: columns `by`, theory, measured, low, high, n."""
    return pd.DataFrame([
        {**dict(zip(by, values, strict=True)), "theory": group["theory"].mean(), **mean(group[value]).row()}
        for values, group in groups(rows, by)
    ])  # fmt: skip


def per_block(total: Interval, blocks: int) -> Interval:
    """Return the L-th root of a total over L blocks, and of the ends of its interval; an end below zero is 0."""
    root = 1 / blocks
    return Interval(total.value**root, max(total.low, 0.0) ** root, total.high**root, total.n, total.method)


def misfit(x: Any, y: Any) -> float:
    """Return the sum of squares that the straight line of least squares leaves of y; NaN where a number is none."""
    a, b = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return math.nan
    return float(np.sum((b - np.polyval(np.polyfit(a, b, 1), a)) ** 2))


def slope(x: Any, y: Any) -> float:
    """Return the slope of the straight line of least squares; NaN where a number is none or there are fewer than two places."""
    a, b = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(np.unique(a)) < 2 or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return math.nan
    return float(np.polyfit(a, b, 1)[0])
