"""Which swept axis a figure shows as what: colour, columns, rows; what it leaves out, and says so. Never draws."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from experiments.text.numbers import label

MOST_COLORS = 8
"""Categories that can be told apart by colour; ordered numbers take a sequential map and have no such limit."""

MOST_PANELS = 12


@dataclass(frozen=True)
class Roles:
    """Say what the axes of a figure's table are shown as.

    Args:
        color: the axis that becomes colour, or None.
        facets: the axes that become panels: columns first, then rows.
        notes: sentences for the caption on what is left out or drawn once.
    """

    color: str | None = None
    facets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def axes(self) -> list[str]:
        """Return all axes that are shown, facets first."""
        return [*self.facets, *([self.color] if self.color is not None else [])]


def is_numeric(values: "pd.Series[Any]") -> bool:
    """Return whether a column holds numbers, and not words or truth values."""
    return bool(pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values))


def levels(values: "pd.Series[Any]") -> list[Any]:
    """Return the distinct values of an axis: numbers in order, words as they appear, the empty value (NaN) last."""
    present = [value for value in values.unique() if not pd.isna(value)]
    if is_numeric(values):
        present = sorted(present)
    return [*present, *([math.nan] if values.isna().any() else [])]


def count(frame: pd.DataFrame, axis: str) -> int:
    """Return how many levels an axis has in a table."""
    return len(levels(frame[axis]))


def counts_up(frame: pd.DataFrame, axis: str) -> bool:
    """Return whether an axis of a table is made of numbers."""
    return is_numeric(frame[axis])


def matches(values: "pd.Series[Any]", level: Any) -> "pd.Series[bool]":
    """Return where an axis has a level; the empty level matches empty values."""
    return values.isna() if pd.isna(level) else values == level


def listing(items: Iterable[Any], most: int = 12) -> str:
    """Join levels with commas, the middle of a long list left out."""
    words = [label(item) for item in items]
    if len(words) > most:
        words = [*words[: most - 2], "…", words[-1]]
    return ", ".join(words)


def independent(runs: pd.DataFrame, axes: list[str]) -> tuple[list[str], dict[str, str]]:
    """Leave out axes that another axis determines, as those advanced together by a zipped sweep.

    Args:
        runs: the runs table.
        axes: the config columns that vary.

    Returns:
        The axes that are left, and for each left-out axis one of those that vary with it. `folder` stays: a
        comparison was asked for.
    """
    kept = list(axes)
    tied: dict[str, str] = {}
    for axis in reversed(axes):
        others = [other for other in kept if other != axis]
        if axis == "folder" or not others or len(runs[kept].drop_duplicates()) != len(runs[others].drop_duplicates()):
            continue
        partner = next((other for other in others if _determines(runs, other, axis)), None)
        if partner is not None:
            kept, tied[axis] = others, partner
    return kept, tied


def _determines(runs: pd.DataFrame, one: str, other: str) -> bool:
    return len(runs[[one, other]].drop_duplicates()) == len(runs[[one]].drop_duplicates())


def inert(frame: pd.DataFrame, axes: list[str], within: list[str], value: str) -> list[str]:
    """Return the axes that change nothing: the value is bit for bit the same whatever their level, all else equal.

    Args:
        frame: rows with `axes`, `within` and `value`.
        axes: candidates.
        within: what else identifies a row: seed, layer, step.
        value: the column.

    Returns:
        Those axes, tried from the last to the first, each beside the ones found before.
    """
    found: list[str] = []
    for axis in reversed(axes):
        others = [other for other in axes if other != axis and other not in found]
        place = [*others, *within]
        places = len(frame[place].drop_duplicates())
        same = len(frame[[*place, value]].drop_duplicates()) == places
        if same and len(frame[[*place, axis]].drop_duplicates()) > places:
            found.append(axis)
    return found


def assign(
    settings: pd.DataFrame, axes: list[str], *, use_color: bool = True, most_panels: int = MOST_PANELS, rank: str | None = None
) -> tuple[Roles, pd.DataFrame]:
    """Choose what each axis is shown as, so that most settings appear in the fewest panels.

    Args:
        settings: one row a setting (more do no harm), with the axes as columns.
        axes: to be shown.
        use_color: whether colour is free for an axis.
        most_panels: beyond which levels are left out, of numeric axes first.
        rank: column by which the levels of a categorical axis are ranked where some must be left out; the extremes stay.

    Returns:
        The roles, and the settings that are shown (columns `axes`, one row each).
    """
    distinct = settings[axes].drop_duplicates(ignore_index=True)
    if not axes:
        return Roles(), distinct
    candidates: list[str | None] = [None]
    if use_color:
        candidates += [axis for axis in axes if is_numeric(distinct[axis]) or len(levels(distinct[axis])) <= MOST_COLORS]
    best: tuple[tuple[float, ...], Roles, pd.DataFrame] | None = None
    for color in candidates:
        facets = [axis for axis in axes if axis != color]
        kept = _thinned(settings, distinct, facets, most_panels, rank)
        shown = distinct
        for axis, some in kept.items():
            shown = shown[_is_in(shown[axis], some)]
        panels = len(shown[facets].drop_duplicates()) if facets else 1
        facets.sort(key=lambda axis: -count(shown, axis))
        place = axes.index(color) if color is not None else len(axes)
        score = (len(shown), -panels, color is not None and not is_numeric(distinct[color]), -place)
        if best is None or score > best[0]:
            best = (score, Roles(color, tuple(facets), _left_out(distinct, kept)), shown)
    assert best is not None
    return best[1], best[2].reset_index(drop=True)


def _thinned(settings: pd.DataFrame, distinct: pd.DataFrame, facets: list[str], most: int, rank: str | None) -> dict[str, list[Any]]:
    """Return axis -> levels that are shown, for those facet axes of which some are left out."""
    every = {axis: levels(distinct[axis]) for axis in facets}
    kept = {axis: list(values) for axis, values in every.items()}

    def panels() -> int:
        keep = np.logical_and.reduce([_is_in(distinct[axis], kept[axis]) for axis in facets])
        return len(distinct.loc[keep, facets].drop_duplicates())

    while facets and panels() > most:
        thinnable = [axis for axis in facets if len(kept[axis]) > 1]
        axis = max(thinnable, key=lambda name: (counts_up(distinct, name), len(kept[name])))
        fewer = len(kept[axis]) - 1
        ordered = every[axis]
        if rank is not None and not is_numeric(distinct[axis]):
            means = {i: settings.loc[matches(settings[axis], level), rank].mean() for i, level in enumerate(ordered)}
            ordered = [ordered[i] for i in sorted(means, key=lambda i: (math.isnan(means[i]), means[i]))]
        picks = [len(ordered) - 1] if fewer == 1 else [round(i * (len(ordered) - 1) / (fewer - 1)) for i in range(fewer)]
        chosen = [ordered[i] for i in picks]
        kept[axis] = [level for level in every[axis] if any(level is other or level == other for other in chosen)]
    return {axis: kept[axis] for axis in facets if len(kept[axis]) < len(every[axis])}


def _is_in(values: "pd.Series[Any]", some: list[Any]) -> "pd.Series[bool]":
    present = [level for level in some if not pd.isna(level)]
    return values.isin(present) | (values.isna() & (len(present) < len(some)))


def _left_out(distinct: pd.DataFrame, kept: dict[str, list[Any]]) -> tuple[str, ...]:
    return tuple(
        f"For want of room only {axis} {listing(some)} of {listing(levels(distinct[axis]))} {'is' if len(some) == 1 else 'are'} shown."
        for axis, some in kept.items()
    )
