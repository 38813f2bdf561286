"""The factor per layer over two swept axes.

Blue cells vanish toward the input, red ones explode, white ones keep the norm of δ.
"""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter

from experiments.figures.data import factors
from experiments.figures.data.roles import levels
from experiments.figures.data.table import FigureTable
from experiments.figures.style.facets import facets
from experiments.figures.style.look import DIVERGING, GREY, INK
from experiments.figures.style.words import sentences
from experiments.store.tables import Results
from experiments.text.numbers import label, number

ORDER = 31


def table(results: Results, axes: list[str]) -> FigureTable | None:
    """Return the per-layer factor over two axes."""
    return factors.factor_map(results, axes)


def draw(table: FigureTable) -> Figure:
    """Draw one heatmap per facet, the factor written in every cell."""
    roles, x, y = table.roles, table.x, table.y
    across, down = ([label(level) for level in levels(table.frame[axis])] for axis in (x, y))
    rows = len(down)
    cut = facets(table.frame, roles.facets, panel_height=0.55 + 0.3 * rows, single_height=max(1.4 + 0.34 * rows, 2.6))
    with np.errstate(all="ignore"):
        logs = np.abs(np.log10(table.frame["mean"].to_numpy(dtype=float)))
    reach = max(float(np.nanmax(logs, initial=0.0, where=np.isfinite(logs))), math.log10(1.5))
    norm = Normalize(-reach, reach)
    written = len(across) * cut.columns <= 24
    cut.label(x, y)
    for panel, left, bottom in cut.edges():
        _cells(panel.axes, panel.rows, x, y, across, down, norm, written)
        panel.axes.set_xticks(range(len(across)), across, rotation=40 if sum(map(len, across)) * cut.columns > 70 else 0)
        panel.axes.set_yticks(range(rows), down)
        panel.axes.tick_params(labelbottom=bottom, labelleft=left, length=0)
    bar = cut.figure.colorbar(
        ScalarMappable(norm, DIVERGING), ax=[panel.axes for panel in cut], label="factor per layer", aspect=22, pad=0.02
    )
    bar.ax.yaxis.set_major_locator(FixedLocator(round_factors(reach)))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(10.0**value, typeset=True)))
    bar.outline.set_visible(False)
    handles = []
    if (table.frame["n_diverged"] > 0).any():
        handles.append(Patch(fc="white", ec=INK, hatch="////", lw=0.5, label="some run diverged in training"))
    if table.frame["mean"].isna().any():
        handles.append(Patch(fc="#e8e8e8", ec=GREY, lw=0.5, label="no factor"))
    if handles:
        cut.figure.legend(handles=handles, loc="outside upper right", ncols=2)
    return cut.figure


def round_factors(reach: float) -> list[float]:
    """Return the decimal logarithms of round factors between 10^−reach and 10^reach, 1 among them, at most about nine."""
    mantissas = (
        (1.0, 1.25, 1.5, 2.0, 3.0, 5.0)
        if reach < 0.45
        else (1.0, 1.5, 2.0, 3.0, 5.0)
        if reach < 0.8
        else (1.0, 2.0, 5.0)
        if reach < 1.4
        else (1.0,)
    )
    stride = max(1, math.ceil(reach / 4))
    above = [math.log10(m) + k for k in range(0, math.ceil(reach) + 1, stride) for m in mantissas]
    above = [value for value in above if 0 < value <= reach]
    return [*(-value for value in reversed(above)), 0.0, *above]


def _cells(axes: Axes, rows: pd.DataFrame, x: str, y: str, across: list[str], down: list[str], norm: Normalize, written: bool) -> None:
    image = np.full((len(down), len(across)), np.nan)
    axes.grid(False)
    axes.set_facecolor("#f7f7f7")
    for row in rows.to_dict("records"):
        i, j = down.index(label(row[y])), across.index(label(row[x]))
        value = float(row["mean"])
        known = math.isfinite(value) and value > 0
        image[i, j] = math.log10(value) if known else np.nan
        if not known:
            axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, fc="#e8e8e8", ec="white", lw=0.5))
        if row["n_diverged"] > 0:
            axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, fc="none", ec="#00000055", lw=0, hatch="///"))
        if written:
            dark = known and abs(image[i, j]) > 0.62 * float(norm.vmax or 1)
            text = axes.text(j, i, number(value, typeset=True), ha="center", va="center", fontsize=8, color="white" if dark else "#1a1a1a")
            if row["n_diverged"] > 0:
                fill = DIVERGING(norm(image[i, j])) if known else "#e8e8e8"
                text.set_bbox({"fc": fill, "ec": "none", "pad": 1.0})
    axes.imshow(image, norm=norm, cmap=DIVERGING, aspect="auto", interpolation="nearest", zorder=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def caption(table: FigureTable) -> str:
    """Say what is seen, and what is not."""
    read = (
        "Geometric mean over hidden layers, and over seeds, of ‖δ^l‖ / ‖δ^(l+1)‖ at step 0. "
        "The colour is logarithmic, white at 1: blue vanishes toward the input, red explodes."
    )
    hatched = "Hatched: at least one run of the setting diverged in training." if (table.frame["n_diverged"] > 0).any() else ""
    none = "Grey: no factor, for want of two hidden layers with a positive norm of δ." if table.frame["mean"].isna().any() else ""
    return sentences(read, hatched, none, *table.roles.notes)
