"""Panels, curves with bands, legends: what figures over swept axes have in common."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from experiments.figures.data.roles import Roles, levels, matches
from experiments.figures.style.look import (
    GREY,
    INK,
    Colors,
    figure,
    integer_axis,
    log_axis,
    mark_beyond,
    mark_not_finite,
    mark_zero,
)
from experiments.text.numbers import count, label, number, tick


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


def explain(drawing: Figure, colors: Colors, name: str | None, extra: list[Any] | None = None, axes: list[Axes] | None = None) -> None:
    """Explain the colours: by a legend at the right, or by a colour bar where the numbers are many.

    Args:
        drawing: the figure.
        colors: of the levels.
        name: of the axis that became colour, or None.
        extra: handles of what else the figure shows.
        axes: beside which a colour bar stands.
    """
    handles = []
    if name is not None and not colors.continuous:
        handles = [Line2D([], [], color=colors(level), label=label(level)) for level in colors.levels]
    if name is not None and colors.continuous and axes:
        mappable = ScalarMappable(colors.norm, colors.colormap)
        bar = drawing.colorbar(mappable, ax=axes, label=name, aspect=30, pad=0.02)
        bar.outline.set_visible(False)
        if all(float(level).is_integer() for level in colors.levels if not pd.isna(level)) and type(colors.norm).__name__ != "LogNorm":
            integer_axis(bar.ax.yaxis)
        if type(colors.norm).__name__ == "LogNorm":
            bar.ax.yaxis.set_major_formatter(FuncFormatter(tick))
            bar.ax.minorticks_off()
        name = None
    extra = extra or []
    if handles or extra:
        drawing.legend(handles=[*handles, *extra], title=name, loc="outside right upper", alignment="left", handlelength=1.6)


def curves(
    table: pd.DataFrame,
    x: str,
    *,
    color: str | None,
    x_label: str,
    y_label: str,
    logarithmic: bool = True,
    colors: Colors | None = None,
    markers: bool = False,
    band_up_to: int = 8,
    extra: dict[str, tuple[str, str]] | None = None,
    one: float | None = None,
    x_logarithmic: bool = False,
    finish: Callable[[Panel], None] | None = None,
    connect: bool = True,
) -> Figure:
    """Draw `mean` over x, one curve per level of an axis, with the band low–high, in panels.

    Args:
        table: with `mean`, `low`, `high`, `n`, `n_zero`, `n_not_finite` and its roles.
        x: column of the horizontal axis, numbers.
        color: column that becomes colour, or None.
        x_label: of the horizontal axis.
        y_label: of the vertical axis.
        logarithmic: whether the vertical axis is.
        colors: of the levels; by default read off the table.
        markers: whether measured points are marked.
        band_up_to: beyond so many curves bands would hide each other, and are not drawn.
        extra: column -> (line style, meaning) of further curves in the same colour, such as theory.
        one: a value at which a horizontal reference line is drawn, or None.
        x_logarithmic: whether the horizontal axis is logarithmic.
        finish: called with each panel in the end.
        connect: whether lines join the values; words on the horizontal axis have nothing between them.

    Returns:
        The figure.
    """
    roles: Roles = table.attrs["roles"]
    colors = colors or Colors(table[color] if color is not None else None)
    extra = {column: look for column, look in (extra or {}).items() if table[column].notna().any()}
    cut = facets(table, roles.facets)
    values = table[["mean", "low", "high", *extra]].to_numpy(dtype=float).ravel()
    top = beyond(table) if x == "step" and logarithmic else math.inf
    values = values[~(values > top)]
    for panel in cut:
        axes = panel.axes
        if one is not None:
            axes.axhline(one, color=GREY, lw=0.9, zorder=1)
        for level in colors.levels:
            rows = panel.rows if color is None else panel.rows[matches(panel.rows[color], level)]
            if len(rows):
                _curve(axes, rows, x, colors(level), markers, len(colors.levels) <= band_up_to, extra, logarithmic, connect)
                mark_beyond(axes, rows.loc[rows["mean"] > top, x].to_numpy(dtype=float), colors(level))
        if x_logarithmic:
            log_axis(axes.xaxis, table[x])
        elif pd.api.types.is_integer_dtype(table[x]):
            integer_axis(axes.xaxis)
        if logarithmic:
            log_axis(axes.yaxis, [*values, *([one] if one is not None else [])], margin=0.08)
        if finish is not None:
            finish(panel)
        if x == "step":
            room = 0.03 * max(float(table[x].max()), 1.0)
            axes.set_xlim(table[x].min() - room, table[x].max() + room)
        if x == "layer":
            layer_ticks(axes.xaxis, int(panel.rows["layer"].max()), cut.columns)
    cut.label(x_label, y_label)
    for panel, left, _ in cut.edges():
        panel.axes.tick_params(labelleft=left)
    handles: list[Any] = [
        Line2D([], [], color=INK, ls=style, lw=1.1, label=meaning)
        if connect
        else Line2D([], [], color=INK, marker="_", ls="", ms=12, label=meaning)
        for style, meaning in extra.values()
    ]
    if (table["n_zero"] > 0).any() and logarithmic:
        handles.append(Line2D([], [], marker="o", mfc="white", mec=INK, ls="", ms=4, label="exactly 0"))
    if (table["n_not_finite"] > 0).any():
        handles.append(Line2D([], [], marker="x", color=INK, ls="", ms=5, mew=1.4, label="not finite"))
    if (table["mean"] > top).any():
        handles.append(Line2D([], [], marker="^", color=INK, ls="", ms=5, label="beyond the border"))
    explain(cut.figure, colors, color, handles, [panel.axes for panel in cut])
    return cut.figure


def _curve(
    axes: Axes,
    rows: pd.DataFrame,
    x: str,
    color: Any,
    markers: bool,
    band: bool,
    extra: dict[str, tuple[str, str]],
    logarithmic: bool,
    connect: bool,
) -> None:
    places = rows[x].to_numpy(dtype=float)
    if not connect:
        axes.vlines(places, rows["low"].to_numpy(dtype=float), rows["high"].to_numpy(dtype=float), color=color, alpha=0.4, lw=3)
    elif band and (rows["n"] > 1).any():
        axes.fill_between(places, rows["low"].to_numpy(dtype=float), rows["high"].to_numpy(dtype=float), color=color, alpha=0.18, lw=0)
    alone = len(rows) == 1 or int(rows["mean"].notna().sum()) == 1
    axes.plot(
        places,
        rows["mean"].to_numpy(dtype=float),
        color=color,
        marker="o" if markers or alone else None,
        ls="-" if connect else "",
        gid="mean",
    )
    for column, (style, _) in extra.items():
        axes.plot(
            places,
            rows[column].to_numpy(dtype=float),
            color=color,
            ls=style if connect else "",
            marker=None if connect else "_",
            ms=12,
            lw=1.0,
            zorder=3,
            gid=column,
        )
    zero = rows["n_zero"].to_numpy() > 0
    if logarithmic and zero.any():
        mark_zero(axes, places[zero], color)
    lost = rows["n_not_finite"].to_numpy() > 0
    if lost.any():
        mark_not_finite(axes, places[lost], color)


def beyond(table: pd.DataFrame) -> float:
    """Return where a logarithmic axis over steps is cut off at the top, so that a few exploding values do not flatten all others.

    Args:
        table: with `mean`.

    Returns:
        The value, infinite where nothing is cut off.
    """
    values = table["mean"].to_numpy(dtype=float)
    logs = np.log10(values[np.isfinite(values) & (values > 0)])
    if not len(logs):
        return math.inf
    usual = float(np.quantile(logs, 0.9))
    top = usual + max(2.0, 0.3 * (usual - float(logs.min())))
    return float(10.0**top) if logs.max() > top + 2 and top < 300 else math.inf


def cut_off(table: pd.DataFrame) -> str:
    """Return the sentence on values beyond the upper border, empty where there are none."""
    gone = table["mean"][table["mean"] > beyond(table)]
    if not len(gone):
        return ""
    verb = "lies" if len(gone) == 1 else "lie"
    return f"{count(len(gone), 'value')}, up to {number(gone.max(), typeset=True)}, {verb} beyond the upper border (triangles)."


def repeated(table: pd.DataFrame, geometric: bool = True) -> str:
    """Return the sentence that explains line and band."""
    if not (table["n"] > 1).any():
        return ""
    mean = "geometric mean" if geometric else "mean"
    return f"Lines are the {mean} over seeds, bands reach from the smallest to the largest."


def lost(table: pd.DataFrame, what: str = "values") -> str:
    """Return the sentence that counts exact zeros and non-finite values, empty where there are none."""
    zero, gone = int(table["n_zero"].sum()), int(table["n_not_finite"].sum())
    parts = []
    if zero:
        parts.append(f"{zero} {what} are exactly 0 (open circles at the lower border)")
    if gone:
        parts.append(f"{gone} {what} are not finite (crosses at the upper border)")
    return f"{' and '.join(parts)}; these have no place on the axis." if parts else ""


def sentences(*parts: str) -> str:
    """Join the parts of a caption that are not empty."""
    return " ".join(part for part in parts if part)
