"""The map of depth and learning rate with 2/λ over it, and the border beside 2/λ."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, StrMethodFormatter

from experiments.figures.style.look import INK, log_axis
from experiments.figures.style.panels import heatmap, legend, measured, panels, theory
from experiments.text.numbers import tick


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the map at the left, the border at the right."""
    cells, numbers = tables["map"], tables["numbers"]
    drawing, (left, right) = panels(2, 4.2)
    contour = numbers.rename(columns={"theory": "lr"})[["depth", "lr"]]
    heatmap(
        left, cells, "depth", "lr", "kept", label="loss after 100 steps ÷ loss before", norm=Normalize(0, 1), log_x=True, log_y=True,
        marked="lost", contour=contour,
    )  # fmt: skip
    left.set(xlabel="hidden layers", ylabel="learning rate")
    left.yaxis.set_major_formatter(FuncFormatter(tick))
    measured(right, numbers, "depth")
    theory(right, numbers, "depth")
    log_axis(right.xaxis, numbers["depth"])
    log_axis(right.yaxis, numbers[["low", "high", "theory", "measured"]])
    right.set(xlabel="hidden layers", ylabel="learning rate", title="learning rate above which nets are lost")
    for axes in (left, right):
        axes.xaxis.set_major_locator(FixedLocator(sorted(numbers["depth"].unique())))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    lost = Line2D([], [], marker="x", color=INK, ls="none", label="lost: diverged, or loss above its start")
    legend(drawing, band="95 %", theory="2/λ, λ before training", extra=[lost])
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    n = int(tables["numbers"]["n"].max())
    return (
        "Tanh nets on 100 digits, quadratic loss, full-batch gradient descent. Left: share of the loss that is left after "
        "100 steps, median over "
        "seeds; dark learns, light stalls, a cross marks cells in which at least half of the nets are lost. Dashed: 2/λ "
        "with λ the largest Hessian eigenvalue before "
        f"training (geometric mean). Right: the border between lr that are kept and lost, geometric mean over {n} seeds with "
        "its 95 % interval; the lr axis goes in factors of two there."
    )
