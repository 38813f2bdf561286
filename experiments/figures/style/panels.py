"""The parts that figures of findings are made of, so that measurement, theory and publication look alike everywhere.

Measured: a coloured line with its band. Theory: a dashed line. Published: an open diamond.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LogNorm, Normalize, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from experiments.figures.style.look import GREY, INK, OKABE_ITO, SEQUENTIAL, figure
from experiments.text.numbers import tick

THEORY = "--"
PUBLISHED: Any = {"marker": "D", "mfc": "white", "mec": INK, "mew": 1.2, "ms": 6, "ls": "none", "zorder": 5}


def panels(count: int = 1, height: float = 3.4, width: float = 9.6, sharey: bool = False) -> tuple[Figure, list[Axes]]:
    """Return a figure with panels side by side.

    Args:
        count: of panels, ≥ 1.
        height: of the figure in inches.
        width: in inches.
        sharey: whether the panels share their vertical axis.

    Returns:
        The figure and its axes, from left to right.
    """
    drawing = figure(height, width)
    grid = drawing.subplots(1, count, sharey=sharey, squeeze=False)
    return drawing, list(grid[0])


def measured(axes: Axes, rows: pd.DataFrame, x: str, color: Any = OKABE_ITO[0], label: str = "", y: str = "measured") -> None:
    """Draw what was measured: a line over points, and its band from `low` to `high`.

    Args:
        axes: of the panel.
        rows: with columns x, y and, where there is a band, low and high.
        x: name of the horizontal column.
        color: of line and band.
        label: for the legend; empty for none.
        y: name of the vertical column.
    """
    rows = rows.sort_values(x)
    if {"low", "high"} <= set(rows.columns):
        axes.fill_between(rows[x], rows["low"], rows["high"], color=color, alpha=0.22, lw=0, gid="band")
    axes.plot(rows[x], rows[y], "-o", color=color, label=label or None, gid="measured")


def theory(axes: Axes, rows: pd.DataFrame, x: str, color: Any = INK, label: str = "", y: str = "theory") -> None:
    """Draw what theory says, dashed; rows without a prediction leave a gap."""
    rows = rows.sort_values(x)
    axes.plot(rows[x], rows[y], THEORY, color=color, lw=1.3, label=label or None, gid="theory", zorder=4)


def published(axes: Axes, rows: pd.DataFrame, x: str, label: str = "", y: str = "published") -> None:
    """Draw what was published, as open diamonds."""
    axes.plot(rows[x], rows[y], label=label or None, gid="published", **PUBLISHED)


def legend(
    drawing: Figure, measured: bool = True, band: str = "", theory: str = "", published: str = "", extra: list[Any] | None = None
) -> None:
    """Explain the marks above the panels.

    Args:
        drawing: the figure.
        measured: whether measurements are shown.
        band: what the band is, or empty.
        theory: what the dashed line is, or empty.
        published: what the diamonds are, or empty.
        extra: further handles.
    """
    handles: list[Any] = list(extra or [])
    if measured:
        handles.append(Line2D([], [], color=GREY, marker="o", label="measured"))
    if band:
        handles.append(Patch(fc=GREY, alpha=0.3, label=band))
    if theory:
        handles.append(Line2D([], [], color=INK, ls=THEORY, lw=1.3, label=theory))
    if published:
        handles.append(Line2D([], [], **{**PUBLISHED, "label": published}))
    if handles:
        drawing.legend(handles=handles, loc="outside upper left", ncols=min(len(handles), 5))


def _edges(centers: Any, log: bool) -> Any:
    """Return the edges of cells around their centers, halfway between neighbors."""
    places = np.log(centers) if log else np.asarray(centers, dtype=float)
    if len(places) == 1:
        places = np.array([places[0] - 0.5, places[0] + 0.5])
        return np.exp(places) if log else places
    middle = (places[1:] + places[:-1]) / 2
    ends = np.concatenate([[2 * places[0] - middle[0]], middle, [2 * places[-1] - middle[-1]]])
    return np.exp(ends) if log else ends


def heatmap(
    axes: Axes,
    rows: pd.DataFrame,
    x: str,
    y: str,
    value: str,
    *,
    label: str,
    norm: Normalize | None = None,
    colormap: Colormap = SEQUENTIAL,
    log_x: bool = False,
    log_y: bool = False,
    marked: str = "",
    contour: pd.DataFrame | None = None,
) -> ScalarMappable:
    """Draw a map over two swept axes, cells at their true places, with theory's contour over it.

    Args:
        axes: of the panel.
        rows: one a cell: x, y, value; missing values stay grey.
        x: name of the horizontal column, numeric.
        y: name of the vertical column, numeric.
        value: name of the column that becomes colour.
        label: of the colour bar, with unit.
        norm: of the colours; by default linear from smallest to largest.
        colormap: of the colours.
        log_x: whether the horizontal axis is logarithmic.
        log_y: whether the vertical axis is logarithmic.
        marked: name of a column of booleans whose true cells get a cross, such as diverged runs; empty for none.
        contour: theory's line, columns x and y; its points outside the map are cut off.

    Returns:
        The mappable of the colour bar, which is drawn beside the panel.
    """
    grid = rows.pivot_table(value, y, x, dropna=False, observed=False)
    across, down = grid.columns.to_numpy(dtype=float), grid.index.to_numpy(dtype=float)
    cells = np.ma.masked_invalid(grid.to_numpy(dtype=float))
    axes.set_facecolor("#dddddd")
    axes.grid(False)
    mesh = axes.pcolormesh(
        _edges(across, log_x), _edges(down, log_y), cells, norm=norm, cmap=colormap, edgecolors="white", lw=0.4, gid="map"
    )
    mesh.set_rasterized(False)
    if log_x:
        axes.set_xscale("log")
    if log_y:
        axes.set_yscale("log")
    axes.set_xlim(*_edges(across, log_x)[[0, -1]])
    axes.set_ylim(*_edges(down, log_y)[[0, -1]])
    if marked:
        crossed = rows[rows[marked].astype(bool)]
        axes.plot(crossed[x], crossed[y], "x", color=INK, ms=4, mew=1.1, gid="marked")
    if contour is not None and len(contour):
        axes.plot(contour[x], contour[y], color="white", lw=3.2, gid="halo", zorder=4)
        axes.plot(contour[x], contour[y], THEORY, color=INK, lw=1.5, gid="contour", zorder=5)
    drawing = axes.get_figure(root=True)
    assert isinstance(drawing, Figure)
    bar = drawing.colorbar(mesh, ax=axes, label=label, aspect=24, pad=0.02)
    bar.outline.set_visible(False)
    if isinstance(mesh.norm, LogNorm):
        bar.ax.yaxis.set_major_formatter(FuncFormatter(tick))
    for spine in axes.spines.values():
        spine.set_visible(False)
    return mesh


def around(values: Any, center: float = 0.0, least: float = 1e-9) -> Normalize:
    """Return colours that are neutral at a value and reach equally far to either side.

    Args:
        values: that must be visible; those that are not finite do not count.
        center: the neutral value.
        least: how far the colours reach at least.

    Returns:
        The norm, for a diverging colour map.
    """
    finite = np.asarray(values, dtype=float)
    finite = finite[np.isfinite(finite)]
    reach = max(float(np.abs(finite - center).max(initial=0.0)), least)
    return TwoSlopeNorm(center, center - reach, center + reach)


def note(axes: Axes, x: float, y: float, text: str, **how: Any) -> None:
    """Write a word at a place of a panel, on a ground that keeps it legible."""
    axes.annotate(text, (x, y), fontsize=8, color=INK, bbox={"fc": "white", "ec": "none", "alpha": 0.8, "pad": 1.2}, **how)
