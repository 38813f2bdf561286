"""Where gradients vanish and explode: the phase diagram.

The factor per layer over the variances of biases and weights; on the edge of chaos the norm of δ keeps its size.
"""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter

from experiments.figures.data.table import FigureTable
from experiments.figures.style.facets import columns_for
from experiments.figures.style.look import DIVERGING, GREY, INK, WIDTH, figure
from experiments.figures.style.words import sentences
from experiments.store.tables import Results
from experiments.text.numbers import number
from experiments.theory import phase

ORDER = 32

_TICKS = (0.1, 0.2, 0.5, 0.7, 1.0, 1.4, 2.0, 5.0, 10.0)
_FURTHEST = math.log10(4.0)
"""The colour map's end, in decades of the factor: beyond a factor of four a layer there is no telling apart."""

_BOX = {"fc": "#ffffff90", "ec": "none", "pad": 0.8}

_MOST_WRITTEN = 24
"""Measured points whose factor is written beside them."""


def table(results: Results, axes: list[str]) -> FigureTable | None:
    """Return the phase diagrams with the measured factors, where a sweep moves in the plane."""
    if not {"init.scale", "init.bias_std", "init"} & set(axes):
        return None
    found = phase.phase_table(results)
    return None if found is None else FigureTable(found[0], left_out=tuple(found[1]))


def draw(table: FigureTable) -> Figure:
    """Draw one map per activation, the edge of chaos on it, measured factors as points of the same colours."""
    frame = table.frame
    names = list(dict.fromkeys(frame["activation"]))
    columns = min(columns_for(len(names)), 3)
    rows = math.ceil(len(names) / columns)
    drawing = figure(4.6 if len(names) == 1 else 3.5 * rows + 0.6, 6.6 if len(names) == 1 else WIDTH)
    cells = frame[frame["kind"] == "cell"]
    with np.errstate(all="ignore"):
        logs = np.log10(cells["factor"].to_numpy(dtype=float))
    reach = min(max(float(np.quantile(np.abs(logs[np.isfinite(logs)]), 0.95)), math.log10(1.5)), _FURTHEST)
    norm = Normalize(-reach, reach)
    panels = []
    for i, name in enumerate(names):
        axes = drawing.add_subplot(rows, columns, i + 1)
        _panel(axes, frame[frame["activation"] == name], norm)
        axes.set_title(name)
        axes.set_xlabel("σ_b², variance of the biases")
        if i % columns == 0:
            axes.set_ylabel("σ_w², variance of the weights × fan-in")
        panels.append(axes)
    bar = drawing.colorbar(
        ScalarMappable(norm, DIVERGING), ax=panels, label="factor of ‖δ‖ per layer, √χ₁", extend="both", aspect=26, pad=0.02
    )
    bar.ax.yaxis.set_major_locator(FixedLocator([math.log10(tick) for tick in _TICKS if abs(math.log10(tick)) <= reach]))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(10.0**value, typeset=True)))
    bar.outline.set_visible(False)
    drawing.legend(handles=_handles(frame), loc="outside lower center", ncols=4)
    return drawing


def _handles(frame: pd.DataFrame) -> list[Line2D | Patch]:
    kinds = set(frame["kind"])
    handles: list[Line2D | Patch] = []
    if "edge" in kinds:
        handles.append(Line2D([], [], color=INK, lw=1.6, label="edge of chaos, χ₁ = 1"))
    if "critical" in kinds:
        handles.append(Line2D([], [], color=INK, marker="D", mfc="white", ls="", ms=6, label="critical without biases"))
    if "measured" in kinds:
        handles.append(Line2D([], [], color=INK, marker="o", mfc=GREY, ls="", ms=6, label="measured, same colours"))
    if np.isinf(frame.loc[frame["kind"] == "cell", "q"]).any():
        handles.append(Patch(fc="white", ec="#00000066", hatch="///", lw=0.5, label="variance grows without bound"))
    return handles


def _panel(axes: Axes, rows: pd.DataFrame, norm: Normalize) -> None:
    parts = {str(kind): part for kind, part in rows.groupby("kind", sort=False)}
    cells = parts["cell"]
    x, y = np.unique(cells["sigma_b2"]), np.unique(cells["sigma_w2"])
    with np.errstate(all="ignore"):
        image = np.log10(cells["factor"].to_numpy(dtype=float)).reshape(len(y), len(x))
    unbounded = np.isinf(cells["q"].to_numpy(dtype=float)).reshape(image.shape)
    right, top = x[-1] + x[0], y[-1] + y[0]
    axes.grid(False)
    axes.imshow(
        image, norm=norm, cmap=DIVERGING, origin="lower", extent=(0, right, 0, top), aspect="auto", interpolation="nearest", zorder=0
    )
    if unbounded.any():
        axes.contourf(x, y, unbounded.astype(float), levels=[0.5, 1.5], colors="none", hatches=["///"], zorder=1)
        for collection in axes.collections:
            collection.set_edgecolor("#00000040")
            collection.set_linewidth(0)
    if "edge" in parts:
        edge = parts["edge"]
        axes.plot(edge["sigma_b2"], edge["sigma_w2"], color=INK, lw=1.6, zorder=3, gid="edge")
    _name_regions(axes, image, x, y)
    if "critical" in parts:
        at = float(parts["critical"]["sigma_w2"].iloc[0])
        axes.plot([0.0], [at], "D", color=INK, mfc="white", ms=7, zorder=5, clip_on=False, gid="critical")
        axes.annotate(f"σ_w² = {number(at, typeset=True)}", (0, at), (10, 7), textcoords="offset points", fontsize=8.5, color=INK)
    if "measured" in parts:
        points = parts["measured"]
        with np.errstate(all="ignore"):
            colors = DIVERGING(norm(np.log10(points["factor"].to_numpy(dtype=float))))
        axes.scatter(points["sigma_b2"], points["sigma_w2"], c=colors, s=44, ec=INK, lw=1.0, zorder=4, clip_on=False, gid="measured")
        if len(points) <= _MOST_WRITTEN:
            for x_, y_, factor in points[["sigma_b2", "sigma_w2", "factor"]].itertuples(index=False):
                how: dict[str, Any] = {"textcoords": "offset points", "fontsize": 8, "color": INK, "zorder": 5, "bbox": _BOX}
                axes.annotate(number(factor, typeset=True), (x_, y_), (7, -3), **how)
    axes.set_xlim(0, right)
    axes.set_ylim(0, top)


def _name_regions(axes: Axes, image: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", x: np.ndarray, y: np.ndarray) -> None:
    """Write into either region, at its middle, what happens to δ there."""
    for inside, words in ((image < -0.01, "vanishing"), (image > 0.01, "exploding")):
        if inside.mean() > 0.08:
            column = int(0.87 * len(x))
            places = np.flatnonzero(inside[:, column])
            if len(places) > 0.08 * len(y):
                axes.text(x[column], float(y[places].mean()), words, ha="center", va="center", fontsize=9.5, color=INK, zorder=4,
                          bbox={"fc": "#ffffffb0", "ec": "none", "pad": 1.5})  # fmt: skip


def caption(table: FigureTable) -> str:
    """Say what is seen, and what is not."""
    read = (
        "Mean-field theory's factor of ‖δ‖ per layer toward the input, √χ₁, deep inside a wide net, over the variances of "
        "biases and weights between hidden layers: blue vanishes, red explodes."
    )
    seen = table.frame[table.frame["kind"] == "measured"]
    runs = int(seen["n"].sum())
    points = f"Points: the measured factor of {runs} runs at step 0, geometric mean over all hidden layers and runs." if len(seen) else ""
    note = f"Left out for want of room: {', '.join(table.left_out)}." if table.left_out else ""
    return sentences(read, points, note)
