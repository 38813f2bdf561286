"""The one look of all figures: sizes, colours, numbers on logarithmic axes."""

import math
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from experiments.figures.data.roles import is_numeric, levels
from experiments.text.numbers import tick

WIDTH = 9.6
"""Inches; 922 pixels of a page at 100 %."""

STYLE: Any = {
    "font.family": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.titlesize": 9.5,
    "axes.titleweight": "normal",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.5,
    "axes.labelcolor": "#333333",
    "axes.edgecolor": "#8a8a8a",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "xtick.color": "#8a8a8a",
    "ytick.color": "#8a8a8a",
    "xtick.labelcolor": "#333333",
    "ytick.labelcolor": "#333333",
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 8.5,
    "legend.title_fontsize": 8.5,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 3.5,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "text.parse_math": False,  # a folder's name may hold a dollar sign
    "axes.unicode_minus": True,
    "svg.hashsalt": "gradstab",
    "svg.fonttype": "path",
    "figure.dpi": 150,
}

OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#A6960A")
GREY = "#8a8a8a"
INK = "#333333"


def _part(name: str, low: float, high: float) -> Colormap:
    """Return part of a map, so that no end of it is lost on white."""
    return ListedColormap(mpl.colormaps[name](np.linspace(low, high, 256)), name=f"{name}_part")


SEQUENTIAL = _part("viridis", 0.0, 0.8)
LAYERS = _part("plasma", 0.0, 0.85)
DENSITY = _part("YlGnBu", 0.12, 1.0)
DIVERGING = mpl.colormaps["RdBu_r"]


def log_axis(axis: Any, values: Any, margin: float = 0.06) -> None:
    """Make an axis logarithmic over the positive finite values, at least a factor of three wide, with plain ticks.

    Args:
        axis: `axes.xaxis` or `axes.yaxis`.
        values: what must be visible; zeros and non-finite values do not count.
        margin: on either side, as a share of the decades.
    """
    values = np.asarray(values, dtype=float)
    values = values[np.isfinite(values) & (values > 0)]
    low, high = (np.log10(values.min()), np.log10(values.max())) if len(values) else (-0.5, 0.5)
    extra = max(margin * (high - low), (math.log10(3) - (high - low)) / 2, 0.02)
    ends = (10.0 ** max(low - extra, -323.0), 10.0 ** min(high + extra, 308.0))
    name = axis.axis_name
    getattr(axis.axes, f"set_{name}scale")("log")
    getattr(axis.axes, f"set_{name}lim")(*ends)
    axis.set_major_locator(FixedLocator(log_ticks(*ends)))
    axis.set_major_formatter(FuncFormatter(tick))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def log_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Return ticks of a logarithmic axis: powers of ten, evenly thinned, or round numbers where the powers are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = math.log10(high) - math.log10(low)
    mantissas = (1.0,) if decades > 2.2 else (1.0, 2.0, 5.0) if decades > 0.9 else (1.0, 2.0, 3.0, 5.0, 7.0)
    stride = max(1, math.ceil((last - first) / most)) if len(mantissas) == 1 else 1
    exponents = range(first - first % stride, last + 1, stride)
    ticks = [mantissa * 10.0**exponent for exponent in exponents if -323 <= exponent <= 307 for mantissa in mantissas]
    return [tick for tick in ticks if low <= tick <= high]


def integer_axis(axis: Any, most: int = 7) -> None:
    """Put ticks of an axis at integers alone."""
    axis.set_major_locator(MaxNLocator(nbins=most, integer=True, min_n_ticks=1))


class Colors:
    """Map the levels of an axis to colours: words to Okabe–Ito's, numbers to a sequential map.

    Args:
        values: the axis as a column, or None for one colour.
        colormap: for numbers.
    """

    def __init__(self, values: "pd.Series[Any] | None", colormap: Colormap = SEQUENTIAL) -> None:
        self.levels: list[Any] = [None] if values is None else levels(values)
        self.numeric = values is not None and is_numeric(values)
        self.colormap = colormap
        numbers = [level for level in self.levels if self.numeric and not pd.isna(level)]
        self.norm: Normalize = Normalize(0, 1)
        if numbers:
            low, high = min(numbers), max(numbers)
            wide = low > 0 and high / low >= 10 and colormap is SEQUENTIAL
            self.norm = LogNorm(low, high) if wide and low < high else Normalize(low, high if high > low else low + 1)

    def __call__(self, level: Any) -> Any:
        """Return the colour of a level."""
        if level is None:
            return OKABE_ITO[0]
        if pd.isna(level):
            return GREY
        if not self.numeric:
            return OKABE_ITO[self.levels.index(level) % len(OKABE_ITO)]
        if len(self.levels) <= 8:  # evenly spaced: told apart more easily than true to scale
            numbers = [other for other in self.levels if not pd.isna(other)]
            return self.colormap(numbers.index(level) / max(len(numbers) - 1, 1))
        return self.colormap(self.norm(level))

    @property
    def continuous(self) -> bool:
        """Return whether a colour bar explains the colours better than a legend."""
        return self.numeric and len(self.levels) > 8


def figure(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure of the common width."""
    return Figure(figsize=(width, height), layout="constrained")


def mark_zero(axes: Axes, x: Any, color: Any) -> None:
    """Mark exact zeros by open circles at the lower border."""
    axes.plot(
        x, np.full(len(x), 0.025), "o", mfc="white", mec=color, ms=4, mew=1.0, transform=axes.get_xaxis_transform(), zorder=4, gid="zero"
    )


def mark_beyond(axes: Axes, x: Any, color: Any) -> None:
    """Mark values above the upper border by triangles."""
    axes.plot(x, np.full(len(x), 0.975), "^", color=color, ms=4, transform=axes.get_xaxis_transform(), zorder=4, gid="beyond")


def mark_not_finite(axes: Axes, x: Any, color: Any) -> None:
    """Mark values that are not finite by crosses at the upper border."""
    axes.plot(x, np.full(len(x), 0.975), "x", color=color, ms=5, mew=1.4, transform=axes.get_xaxis_transform(), zorder=4, gid="not_finite")
