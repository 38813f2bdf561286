"""Distributions by layer as strips: one column a layer, one row a bin, the share of entries as colour."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from experiments.figures.data.table import FigureTable
from experiments.figures.style.facets import facets, layer_ticks
from experiments.figures.style.look import DENSITY
from experiments.text.numbers import number

_TAIL = 0.0005
"""Share of a panel's entries that may lie outside what is drawn bin by bin, at either end."""


def visible(table: pd.DataFrame, tail: float = _TAIL) -> tuple[float, float]:
    """Return the range of values that is drawn bin by bin; bins of at most the share `tail` in every layer may lie outside."""
    inner = table[np.isfinite(table["bin_low"]) & np.isfinite(table["bin_high"])]
    if not len(inner):
        return 0.0, 1.0
    share = inner.groupby(["bin_low", "bin_high"], as_index=False)["share"].max().sort_values("bin_low")
    keep = share[share["share"] > tail]
    keep = keep if len(keep) else share
    return float(keep["bin_low"].min()), float(keep["bin_high"].max())


def strips(table: FigureTable, *, y_label: str, below: str, above: str, tail: float = _TAIL) -> Figure:
    """Draw the first and the last step of every setting.

    Args:
        table: with columns layer, bin_low, bin_high, share and when.
        y_label: of the vertical axis.
        below: what the row beneath the bins holds.
        above: what the row above them holds.
        tail: share of a layer's entries that a bin may hold and yet go into those rows; 0 draws every bin.

    Returns:
        The figure.
    """
    roles, frame = table.roles, table.frame
    low, high = visible(frame, tail)
    widths = (frame["bin_high"] - frame["bin_low"])[np.isfinite(frame["bin_high"] - frame["bin_low"])]
    width = float(widths.median()) if len(widths) else 1.0
    named = frame.assign(when=frame["when"] + " step")
    cut = facets(named, (*roles.facets, "when"), panel_height=1.9, single_height=3.2)
    norm = PowerNorm(0.5, 0, max(float(frame["share"].max()), 1e-9))
    bins = max(1, round((high - low) / width))
    gap = max(1, round(0.06 * bins))
    has = {"below": bool((frame["bin_low"] < low - width / 2).any()), "above": bool((frame["bin_high"] > high + width / 2).any())}
    cut.label("layer (the last is the output)", y_label)
    for panel, left, _ in cut.edges():
        _strip(panel.axes, panel.rows, low, width, bins, gap, has, norm)
        ticks = _round_ticks(low, low + width * bins)
        places, labels = ticks, [f"{tick:g}".replace("-", "−") for tick in ticks]
        if has["below"]:
            places, labels = [low - 1.5 * gap * width, *places], [below, *labels]
        if has["above"]:
            places, labels = [*places, low + (bins + 1.5 * gap) * width], [*labels, above]
        panel.axes.set_yticks(places, labels)
        panel.axes.tick_params(labelleft=left, length=2)
        layer_ticks(panel.axes.xaxis, int(panel.rows["layer"].max()), cut.columns)
        panel.axes.set_xlim(0.5, panel.rows["layer"].max() + 0.5)
    bar = cut.figure.colorbar(
        ScalarMappable(norm, DENSITY), ax=[panel.axes for panel in cut], label="share of entries", aspect=30, pad=0.02
    )
    bar.outline.set_visible(False)
    top = float(norm.vmax or 1.0)
    ticks = [tick for tick in (0.0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0) if tick <= top]
    bar.ax.yaxis.set_major_locator(FixedLocator(ticks if len(ticks) < 4 or top < 0.4 else [ticks[0], *ticks[2:]]))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{number(100 * value)} %"))
    return cut.figure


def _round_ticks(low: float, high: float) -> list[float]:
    return [float(tick) for tick in MaxNLocator(nbins=5).tick_values(low, high) if low <= tick <= high]


def _strip(axes: Axes, rows: pd.DataFrame, low: float, width: float, bins: int, gap: int, has: dict[str, bool], norm: PowerNorm) -> None:
    L = int(rows["layer"].max()) if len(rows) else 1
    image = np.full((bins + 4 * gap, L), np.nan)
    for row in rows.to_dict("records"):
        column = int(row["layer"]) - 1
        if not np.isfinite(row["bin_low"]) and not np.isfinite(row["bin_high"]):
            continue
        index = round((row["bin_low"] - low) / width) if np.isfinite(row["bin_low"]) else -1
        if index < 0:
            place = slice(0, gap)
        elif index >= bins:
            place = slice(bins + 3 * gap, bins + 4 * gap)
        else:
            place = slice(2 * gap + index, 2 * gap + index + 1)
        image[place, column] = np.nan_to_num(image[place, column]) + row["share"]
    bottom, top = low - 2 * gap * width, low + (bins + 2 * gap) * width
    axes.imshow(image, norm=norm, cmap=DENSITY, origin="lower", aspect="auto", interpolation="nearest", extent=(0.5, L + 0.5, bottom, top))
    axes.set_ylim(bottom if has["below"] else low - 0.5 * gap * width, top if has["above"] else low + (bins + 0.5 * gap) * width)
    axes.grid(False)
    missing = rows[rows["bin_low"].isna() & rows["bin_high"].isna()]
    if len(missing):
        axes.plot(
            missing["layer"],
            np.full(len(missing), 0.97),
            "x",
            color="#b00020",
            ms=5,
            transform=axes.get_xaxis_transform(),
            gid="not_finite",
        )


def not_finite(table: FigureTable) -> str:
    """Return the sentence that counts entries that are NaN, empty where there are none."""
    frame = table.frame
    count = int(frame.loc[frame["bin_low"].isna() & frame["bin_high"].isna(), "count"].sum())
    return f"{count:,} entries are not numbers; a cross marks their layers.".replace(",", " ") if count else ""
