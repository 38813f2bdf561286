"""Every activation beside its derivative.

The range of φ′ bounds the factor that one layer puts on δ: what is at most ¼ must vanish in depth.
"""

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.figures.data import shapes
from experiments.figures.data.table import FigureTable
from experiments.figures.style.look import GREY, OKABE_ITO, figure
from experiments.figures.style.words import sentences
from experiments.store.tables import Results

ORDER = 80

_SHORT = 10
"""Letters of a name beside which there is room on the line."""

_OPEN = 5.0
"""Up to where φ and φ′ are drawn where φ′ has no bound: as far as z goes to either side."""

_FRACTIONS = {"0.25": "¼", "0.5": "½", "0.75": "¾"}


def table(results: Results, axes: list[str]) -> FigureTable | None:
    """Return every activation of the catalogue, those of these results first, as they were swept."""
    return shapes.activation_shapes(results)


def interval(text: str) -> str:
    """Write the range of a derivative with fractions as they are spoken: (0, ¼]."""
    low, _, high = text[1:-1].partition(", ")
    return f"{text[0]}{_FRACTIONS.get(low, low)}, {_FRACTIONS.get(high, high)}{text[-1]}".replace("-", "−")


def draw(table: FigureTable) -> Figure:
    """Draw two activations a row, each beside its derivative, whose range is marked and written."""
    frame = table.frame
    names = list(frame["activation"].unique())
    rows = (len(names) + 1) // 2
    drawing = figure(1.55 * rows + 0.4)
    grid = drawing.add_gridspec(rows, 4)
    for i, name in enumerate(names):
        shape = frame[frame["activation"] == name]
        used = bool(shape["used"].iloc[0])
        left, right = (drawing.add_subplot(grid[i // 2, 2 * (i % 2) + k]) for k in (0, 1))
        _line(left, shape, "value", OKABE_ITO[0])
        _line(right, shape, "prime", OKABE_ITO[1])
        low, high = float(shape["low"].iloc[0]), float(shape["high"].iloc[0])
        top = high if math.isfinite(high) else _OPEN  # where φ′ has no bound the band goes on above
        right.axhspan(low, top if top == high else 2 * top, color=OKABE_ITO[1], alpha=0.1, lw=0, gid="range")
        for end in {low, high}:
            if math.isfinite(end):
                right.axhline(end, color=OKABE_ITO[1], lw=0.8, ls=":", gid="end")
        right.set_ylim(min(-0.15, low - 0.15), max(1.25, top + 0.15))
        if top != high:
            left.set_ylim(-0.15, top + 0.15)
        gap = "  " if len(name) <= _SHORT else "\n"
        left.set_title(f"φ  {name}{gap}(in this sweep)" if used else f"φ  {name}", fontweight="bold" if used else "normal")
        right.set_title(f"φ′ ∈ {interval(shape['range'].iloc[0])}")
        for axes in (left, right):
            axes.set_xlabel("z" if i >= len(names) - 2 else "")
            axes.set_xticks([-4, -2, 0, 2, 4])
    return drawing


def _line(axes: Axes, shape: pd.DataFrame, column: str, color: str) -> None:
    axes.axhline(0, color=GREY, lw=0.6)
    z, y = shape["z"].to_numpy(), shape[column].to_numpy()
    jump = abs(pd.Series(y).diff().to_numpy()) > 0.5  # a step is a gap, not a slope
    axes.plot(z, pd.Series(y).mask(jump).to_numpy(), color=color, gid=column)


def caption(table: FigureTable) -> str:
    """Say what is seen, and what is not."""
    return sentences(
        "φ (blue) and φ′ (orange) of every activation in the catalogue: first those of this sweep, as it had them, then the others with "
        "their default parameters.",
        "The shaded band is the range of φ′, a round bracket marking an end that no z reaches.",
        f"Left out for want of room: {', '.join(table.left_out)}." if table.left_out else "",
    )
