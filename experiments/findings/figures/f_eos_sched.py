"""Sharpness × η/2 over steps, under four schedules."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import GREY, OKABE_ITO, integer_axis
from experiments.figures.style.named_rows import named_rows, point
from experiments.figures.style.panels import legend, panels

NAMES = {"drop": "rate halved at 1500", "warm_up": "warm-up over 1000", "cosine": "cosine", "jump": "rate doubled at 2000"}
HIGHEST = 2.5
"""Above which the lines are cut off: a jump that diverges."""


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one panel a schedule, and the means of the windows in a panel of their own."""
    paths, numbers = tables["paths"], tables["numbers"]
    drawing, cells = panels(len(NAMES) + 1, 3.2, 12.0)
    for axes, (sweep, name) in zip(cells, NAMES.items(), strict=False):
        rows = paths[(paths["sweep"] == sweep) & (paths["value"] < HIGHEST)]
        axes.plot(rows["step"], rows["value"], color=OKABE_ITO[0], lw=1.2, gid="path")
        axes.axhline(1, color=GREY, lw=1)
        axes.set(xlabel="step", title=name, ylim=(0, HIGHEST))
        integer_axis(axes.xaxis)
    cells[0].set_ylabel("sharpness × η/2")
    named_rows(cells[-1], numbers, "when")
    cells[-1].set(xlabel="sharpness × η/2", title="means over windows", xlim=(0, 1.3))
    handles = [Line2D([], [], color=OKABE_ITO[0], label="first seed"), point(OKABE_ITO[0], "mean over steps and nets")]
    legend(drawing, measured=False, published="published", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Sharpness in units of 2/η_t under gradient descent on the Chebyshev task, first seed of each schedule; "
        "at 1 (grey) it is at the edge. Bars reach from the smallest to the largest net."
    )
