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

from experiments.plots.style.look import GREY, INK, Colors, figure, integer_axis, log_axis, mark_not_finite, mark_zero, power
from experiments.roles import Roles, label, levels, matches


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


def _title(names: tuple[str, ...], values: tuple[Any, ...]) -> str:
    parts = [f"{name}={label(value)}" for name, value in zip(names, values, strict=True)]
    lines = [""]
    for part in parts:
        fits = not lines[-1] or len(lines[-1]) + len(part) < 30
        lines[-1:] = [f"{lines[-1]}  {part}".strip()] if fits else [lines[-1], part]
    return "\n".join(lines)


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
    if not names:
        drawing = figure(single_height)
        return Facets(drawing, [Panel(drawing.subplots(), table)])
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
    drawing = figure(max(n_rows * panel_height + 0.6, 2.9))
    grid = drawing.add_gridspec(n_rows, n_columns)
    panels: list[Panel] = []
    for cell, values in zip(cells, combinations, strict=True):
        axes = drawing.add_subplot(grid[cell], sharey=panels[0].axes if panels and sharey else None)
        keep = np.logical_and.reduce([matches(table[name], value) for name, value in zip(names, values, strict=True)])
        axes.set_title(_title(names, values))
        panels.append(Panel(axes, table[keep]))
    return Facets(drawing, panels)


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
        bar.outline.set_visible(False)  # type: ignore[operator]
        if type(colors.norm).__name__ == "LogNorm":
            bar.ax.yaxis.set_major_formatter(FuncFormatter(power))
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
    color_label: str | None = None,
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
        color_label: what the legend calls the colour; by default the column's name.

    Returns:
        The figure.
    """
    roles: Roles = table.attrs["roles"]
    colors = colors or Colors(table[color] if color is not None else None)
    extra = {column: look for column, look in (extra or {}).items() if table[column].notna().any()}
    cut = facets(table, roles.facets)
    values = table[["mean", "low", "high", *extra]].to_numpy(dtype=float).ravel()
    for panel in cut:
        axes = panel.axes
        if one is not None:
            axes.axhline(one, color=GREY, lw=0.9, zorder=1)
        for level in colors.levels:
            rows = panel.rows if color is None else panel.rows[matches(panel.rows[color], level)]
            if len(rows):
                _curve(axes, rows, x, colors(level), markers, len(colors.levels) <= band_up_to, extra, logarithmic)
        if x_logarithmic:
            log_axis(axes.xaxis, table[x])
        elif pd.api.types.is_integer_dtype(table[x]):
            integer_axis(axes.xaxis)
        if logarithmic:
            log_axis(axes.yaxis, [*values, *([one] if one is not None else [])], margin=0.08)
        if finish is not None:
            finish(panel)
    for panel, left, bottom in cut.edges():
        panel.axes.set_xlabel(x_label if bottom else "")
        panel.axes.set_ylabel(y_label if left else "")
        panel.axes.tick_params(labelleft=left)
    handles: list[Any] = [Line2D([], [], color=INK, ls=style, lw=1.1, label=meaning) for style, meaning in extra.values()]
    if (table["n_zero"] > 0).any() and logarithmic:
        handles.append(Line2D([], [], marker="o", mfc="white", mec=INK, ls="", ms=4, label="exactly 0"))
    if (table["n_not_finite"] > 0).any():
        handles.append(Line2D([], [], marker="x", color=INK, ls="", ms=5, mew=1.4, label="not finite"))
    explain(cut.figure, colors, (color_label or color) if color is not None else None, handles, [panel.axes for panel in cut])
    return cut.figure


def _curve(
    axes: Axes, rows: pd.DataFrame, x: str, color: Any, markers: bool, band: bool, extra: dict[str, tuple[str, str]], logarithmic: bool
) -> None:
    places = rows[x].to_numpy(dtype=float)
    if band and (rows["n"] > 1).any():
        axes.fill_between(places, rows["low"].to_numpy(dtype=float), rows["high"].to_numpy(dtype=float), color=color, alpha=0.18, lw=0)
    alone = len(rows) == 1 or int(rows["mean"].notna().sum()) == 1
    axes.plot(places, rows["mean"].to_numpy(dtype=float), color=color, marker="o" if markers or alone else None, gid="mean")
    for column, (style, _) in extra.items():
        axes.plot(places, rows[column].to_numpy(dtype=float), color=color, ls=style, lw=1.0, zorder=3, gid=column)
    zero = rows["n_zero"].to_numpy() > 0
    if logarithmic and zero.any():
        mark_zero(axes, places[zero], color)
    lost = rows["n_not_finite"].to_numpy() > 0
    if lost.any():
        mark_not_finite(axes, places[lost], color)


def repeated(table: pd.DataFrame, geometric: bool = True) -> str:
    """Return the sentence that explains line and band."""
    if not (table["n"] > 1).any():
        return ""
    mean = "geometric mean" if geometric else "mean"
    return f"Lines are the {mean} over seeds, bands reach from the smallest to the largest seed."


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
