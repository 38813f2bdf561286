"""Curves with bands over swept axes, in panels, with what explains them."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from experiments.figures.data.roles import matches
from experiments.figures.data.table import FigureTable
from experiments.figures.style.facets import Panel, facets, layer_ticks
from experiments.figures.style.look import GREY, INK, Colors, integer_axis, log_axis, mark_beyond, mark_not_finite, mark_zero
from experiments.text.numbers import label, tick


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
    table: FigureTable,
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
        table: with columns `mean`, `low`, `high`, `n`, `n_zero`, `n_not_finite`.
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
    frame = table.frame
    colors = colors or Colors(frame[color] if color is not None else None)
    extra = {column: look for column, look in (extra or {}).items() if frame[column].notna().any()}
    cut = facets(frame, table.roles.facets)
    values = frame[["mean", "low", "high", *extra]].to_numpy(dtype=float).ravel()
    top = beyond(frame) if x == "step" and logarithmic else math.inf
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
            log_axis(axes.xaxis, frame[x])
        elif pd.api.types.is_integer_dtype(frame[x]):
            integer_axis(axes.xaxis)
        if logarithmic:
            log_axis(axes.yaxis, [*values, *([one] if one is not None else [])], margin=0.08)
        if finish is not None:
            finish(panel)
        if x == "step":
            room = 0.03 * max(float(frame[x].max()), 1.0)
            axes.set_xlim(frame[x].min() - room, frame[x].max() + room)
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
    if (frame["n_zero"] > 0).any() and logarithmic:
        handles.append(Line2D([], [], marker="o", mfc="white", mec=INK, ls="", ms=4, label="exactly 0"))
    if (frame["n_not_finite"] > 0).any():
        handles.append(Line2D([], [], marker="x", color=INK, ls="", ms=5, mew=1.4, label="not finite"))
    if (frame["mean"] > top).any():
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
