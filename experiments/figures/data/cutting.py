"""From tables to what figures have room for: columns beside their axes, the rows that are shown, their order."""

from typing import Any

import numpy as np
import pandas as pd

from experiments.figures.data.roles import Roles, assign, independent, inert, levels, listing
from experiments.store.tables import Results
from experiments.text.numbers import label


def keys_of(runs: pd.DataFrame) -> list[str]:
    """Return the columns that identify a run: its id, and its folder where several are compared."""
    return ["folder", "run_id"] if "folder" in runs.columns else ["run_id"]


def joined(results: Results, name: str, axes: list[str], columns: list[str], quantity: str | None = None) -> pd.DataFrame:
    """Return columns of a table beside the axes and the seed of their run, numbers as floats.

    Args:
        results: loaded.
        name: layers, steps or histograms.
        axes: config columns.
        columns: measured columns of that table.
        quantity: of the histograms whose rows are wanted; None for all rows.

    Returns:
        One row a row of the table.
    """
    frame: pd.DataFrame = getattr(results, name)
    if quantity is not None:
        frame = frame[frame["quantity"] == quantity]
    keys = keys_of(results.runs)
    own = [column for column in ("step", "layer", "quantity") if column in frame.columns]
    right = results.runs[list(dict.fromkeys([*keys, *axes, "seed"]))]
    merged = frame[[*keys, *own, *columns]].merge(right, on=keys, how="inner")
    for column in columns:
        merged[column] = merged[column].astype("float64")
    return plain(merged, axes)


def plain(frame: pd.DataFrame, axes: list[str]) -> pd.DataFrame:
    """Give axes dtypes that group and compare plainly: nullable numbers become floats."""
    for axis in axes:
        if pd.api.types.is_bool_dtype(frame[axis]):
            frame[axis] = frame[axis].astype("str")
        elif isinstance(frame[axis].dtype, pd.Int64Dtype):
            frame[axis] = frame[axis].astype("float64" if frame[axis].isna().any() else "int64")
        elif frame[axis].isna().all():
            frame[axis] = frame[axis].astype("float64")
    return frame


def shown(
    frame: pd.DataFrame,
    results: Results,
    axes: list[str],
    *,
    within: list[str],
    value: str,
    what: str,
    use_color: bool = True,
    most_panels: int = 12,
) -> tuple[pd.DataFrame, Roles]:
    """Keep what a figure has room for, and choose the role of every axis.

    Args:
        frame: rows with axes, seed, `within` and `value`.
        results: that it comes from.
        axes: config columns that vary.
        within: what else identifies a row: layer, step.
        value: the column that is shown.
        what: its name in a sentence.
        use_color: whether colour is free for an axis.
        most_panels: beyond which levels are left out.

    Returns:
        The rows that are shown, and the roles with their notes.
    """
    notes = []
    runs = plain(results.runs.copy(), axes)
    kept, tied = independent(runs, axes)
    if tied:
        pairs = ", ".join(f"{axis} (with {partner})" for axis, partner in tied.items())
        notes.append(f"Not shown apart, since they vary together with another axis: {pairs}.")
    without = inert(frame, kept, ["seed", *within], value)
    if without:
        which = f"{listing(without)} {'change' if len(without) > 1 else 'changes'}"
        notes.append(f"{which} nothing here: {what} is the same to the last bit, and drawn once.")
        kept = [axis for axis in kept if axis not in without]
        frame = frame.drop_duplicates([*kept, "seed", *within])
    present = runs.merge(frame[kept].drop_duplicates(), on=kept) if kept else runs
    with np.errstate(all="ignore"):
        present = present.assign(_rank=np.log(present["delta_factor"].astype("float64")))
    roles, settings = assign(present, kept, use_color=use_color, most_panels=most_panels, rank="_rank")
    if kept:
        frame = frame.merge(settings, on=kept, how="inner")
    return frame, Roles(roles.color, roles.facets, (*notes, *roles.notes))


def ordered(table: pd.DataFrame, roles: Roles, within: list[str]) -> pd.DataFrame:
    """Return the rows in the order of the axes' levels, then of `within`."""
    columns: Any = {axis: _order(table[axis]) for axis in roles.axes} | {name: table[name] for name in within}
    ranks = pd.DataFrame(columns, index=table.index)
    return (table.loc[ranks.sort_values(list(ranks.columns), kind="stable").index] if len(ranks.columns) else table).reset_index(drop=True)


def _order(values: "pd.Series[Any]") -> "pd.Series[int]":
    places = {label(level): i for i, level in enumerate(levels(values))}
    return values.map(lambda value: places[label(value)])


def thin(values: list[Any], most: int) -> list[Any]:
    """Return at most `most` of some sorted values, evenly spaced, both ends among them."""
    if len(values) <= most:
        return values
    return [values[i] for i in sorted({round(k * (len(values) - 1) / (most - 1)) for k in range(most)})]
