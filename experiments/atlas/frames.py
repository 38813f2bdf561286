"""Cuts through the tables that findings share: groups, the layers at a step, profiles over layers."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from experiments.atlas.intervals import geometric_mean
from experiments.store import Results


def groups(frame: pd.DataFrame, by: list[str]) -> Iterator[tuple[tuple[Any, ...], pd.DataFrame]]:
    """Iterate over the groups of a frame, sorted.

    Args:
        frame: any.
        by: at least one column.

    Yields:
        (values of `by`, rows).
    """
    for values, rows in frame.groupby(by, dropna=False, observed=True):
        yield tuple(values), rows


def layers_at(tables: Results, step: int | str, columns: list[str], hidden: bool = True) -> pd.DataFrame:
    """Return the layers table at one step, with columns of the runs table beside it.

    Args:
        tables: of a sweep.
        step: the step, or "last" for each run's last recorded one.
        columns: of the runs table, such as depth and seed.
        hidden: whether hidden layers alone are wanted; else all from 1 to the output.

    Returns:
        Rows of the layers table plus `columns`.
    """
    layers = tables.layers
    at = layers.groupby("run_id")["step"].transform("max") if step == "last" else step
    rows = layers[(layers["step"] == at) & (layers["layer"] >= 1)]
    wanted = list(dict.fromkeys(["depth", *columns]))
    rows = rows.merge(tables.runs[["run_id", *wanted]], on="run_id")
    if hidden:
        rows = rows[rows["layer"] <= rows["depth"]]
    return rows.drop(columns=[name for name in wanted if name not in columns]).reset_index(drop=True)


def profile(layers: pd.DataFrame, by: list[str], value: str = "delta_norm", theory: str = "delta_norm_theory") -> pd.DataFrame:
    """Summarize a positive quantity over seeds, layer by layer.

    Args:
        layers: as `layers_at` returns it.
        by: columns that tell settings apart; `layer` is added.
        value: the quantity.
        theory: the column of its prediction; empty for none.

    Returns:
        Columns `by`, layer, measured (geometric mean), low and high (smallest and largest), theory, n. Zeros and values that are not
        finite have no logarithm and do not count.
    """
    rows = []
    for values, group in groups(layers, [*by, "layer"]):
        positive = group[value][group[value] > 0]
        rows.append({
            **dict(zip([*by, "layer"], values, strict=True)), "measured": geometric_mean(positive).value, "low": positive.min(),
            "high": positive.max(), "theory": group[theory].mean() if theory else float("nan"), "n": len(positive),
        })  # fmt: skip
    return pd.DataFrame(rows, columns=[*by, "layer", "measured", "low", "high", "theory", "n"])
