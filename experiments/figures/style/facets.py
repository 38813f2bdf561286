"""Panels: a figure cut by swept axes, its titles and ticks."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.figures.data.roles import levels, matches
from experiments.figures.style.look import (
    INK,
    figure,
)
from experiments.text.numbers import label


@dataclass
class Panel:
    """Hold one panel: where to draw, and the rows of the table that belong there."""

    axes: Axes
    rows: pd.DataFrame


@dataclass
class Facets:
    """Hold a figure cut into panels."""

    figure: Figure
    panels: list[Panel]
    columns: int

    def label(self, x: str, y: str) -> None:
        """Name the axes: of a single panel, or once for all."""
        if len(self.panels) == 1:
            self.panels[0].axes.set_xlabel(x)
            self.panels[0].axes.set_ylabel(y)
        else:
            self.figure.supxlabel(x, fontsize=9.5, color=INK)
            self.figure.supylabel(y, fontsize=9.5, color=INK)

    def __iter__(self) -> Iterator[Panel]:
        """Iterate over the panels."""
        return iter(self.panels)

    def edges(self) -> Iterator[tuple[Panel, bool, bool]]:
        """Iterate over the panels, with whether each stands at the left and at the bottom of the figure."""
        cells = [panel.axes.get_subplotspec() for panel in self.panels]
        bottoms: dict[int, int] = {}
        for cell in cells:
            assert cell is not None
            column = cell.colspan.start
            bottoms[column] = max(bottoms.get(column, -1), cell.rowspan.start)
        for panel, cell in zip(self.panels, cells, strict=True):
            assert cell is not None
            yield panel, cell.colspan.start == 0, cell.rowspan.start == bottoms[cell.colspan.start]


def columns_for(count: int) -> int:
    """Return how many columns a number of panels wraps into."""
    return {0: 1, 1: 1, 2: 2, 3: 3, 4: 4, 5: 3, 6: 3, 9: 3}.get(count, 4)


_SPEAKING = ("activation", "folder", "when", "optimizer", "data")
"""Axes whose values say by themselves what they are."""


def _titles(names: tuple[str, ...], combinations: list[tuple[Any, ...]], room: int) -> list[str]:
    """Write each panel's levels on one line, or on one line each if that is wider than `room` characters anywhere."""

    def part(name: str, value: Any) -> str:
        text = label(value) if name in _SPEAKING else f"{name}={label(value)}"
        return text if len(text) <= room else f"{text[: room - 1]}…"

    parts = [[part(name, value) for name, value in zip(names, values, strict=True)] for values in combinations]
    joint = " · " if all(len(" · ".join(words)) <= room for words in parts) else "\n"
    return [joint.join(words) for words in parts]


def layer_ticks(axis: Any, last: int, columns: int) -> None:
    """Put ticks at the first layer and at round layers, and leave half a layer of room at either end."""
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 10**9) if last / step <= (12 if columns < 3 else 6))
    ticks = list(range(1, last + 1, 2)) if step == 2 else [1, *(tick for tick in range(step, last + 1, step) if tick - 1 > step / 2)]
    axis.set_ticks(ticks)
    axis.axes.set_xlim(1 - max(0.25, 0.03 * last), last + max(0.25, 0.03 * last))


def facets(
    table: pd.DataFrame, names: tuple[str, ...], *, panel_height: float = 2.2, sharey: bool = True, single_height: float = 3.6
) -> Facets:
    """Cut a figure into one panel per combination of facet levels.

    Two axes of at most four columns make a grid of columns and rows; other combinations wrap.

    Args:
        table: what is shown.
        names: facet axes, columns first.
        panel_height: of one row of panels, in inches.
        sharey: whether the panels share their vertical axis.
        single_height: of a figure of one panel.

    Returns:
        The panels, titled.
    """
    names = tuple(name for name in names if len(levels(table[name])) > 1)  # what is the same in all panels stands in the caption
    if not names:
        drawing = figure(single_height)
        return Facets(drawing, [Panel(drawing.subplots(), table)], 1)
    combinations = list(table[list(names)].drop_duplicates().itertuples(index=False, name=None))
    across = levels(table[names[0]])
    down = levels(table[names[1]]) if len(names) == 2 else []
    if len(names) == 2 and len(across) <= 5 and len(combinations) > len(across) * (len(down) - 1):
        places = {(label(a), label(b)): (row, column) for row, b in enumerate(down) for column, a in enumerate(across)}
        cells = [places[label(a), label(b)] for a, b in combinations]
        n_rows, n_columns = len(down), len(across)
    else:
        ranks = [[label(level) for level in levels(table[name])] for name in names]
        combinations.sort(key=lambda values: [rank.index(label(value)) for rank, value in zip(ranks, values, strict=True)])
        n_columns = columns_for(len(combinations))
        n_rows = math.ceil(len(combinations) / n_columns)
        cells = [divmod(i, n_columns) for i in range(len(combinations))]
    titles = _titles(names, combinations, 92 // n_columns - 1)
    tallest = max(title.count("\n") for title in titles)
    drawing = figure(max(n_rows * (panel_height + 0.16 * tallest) + 0.6, 2.9))
    grid = drawing.add_gridspec(n_rows, n_columns)
    panels: list[Panel] = []
    for cell, values, title in zip(cells, combinations, titles, strict=True):
        axes = drawing.add_subplot(grid[cell], sharey=panels[0].axes if panels and sharey else None)
        keep = np.logical_and.reduce([matches(table[name], value) for name, value in zip(names, values, strict=True)])
        axes.set_title(title)
        panels.append(Panel(axes, table[keep]))
    return Facets(drawing, panels, n_columns)
