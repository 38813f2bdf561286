"""Sharpness by step in units of either method's limit."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.plots.style.look import GREY, INK, OKABE_ITO
from experiments.plots.style.panels import THEORY, legend, note, panels

TITLES = {"polyak": "Polyak’s momentum: limit (2 + 2β)/lr", "nesterov": "Nesterov’s momentum: limit (2 + 2β)/((1 + 2β) lr)"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one panel a method, one line a net."""
    curves = tables["curves"]
    drawing, cells = panels(len(TITLES), 3.8, sharey=True)
    for axes, (method, title) in zip(cells, TITLES.items(), strict=True):
        own = curves[curves["method"] == method]
        for color, (_, rows) in zip(OKABE_ITO * 3, own.groupby("seed"), strict=False):
            axes.plot(rows["step"], rows["measured"], "-o", color=color, lw=1.2, ms=2.5)
        axes.axhline(1, color=INK, ls=THEORY, lw=1.3)
        plain = float((own["measured"] / own["plain"]).iloc[0])
        axes.axhline(plain, color=GREY, ls=":", lw=1.2)
        note(axes, 0.98, plain, "2/lr, without momentum", xycoords=("axes fraction", "data"), ha="right", va="center")
        axes.set_title(title)
        axes.set_xlabel("step")
    cells[0].set_ylabel("sharpness ÷ limit")
    cells[0].set_ylim(0, max(1.55, 1.05 * float(curves["measured"].max())))
    nets = Line2D([], [], color=OKABE_ITO[0], marker="o", label="one net each")
    legend(drawing, measured=False, theory="the method’s limit", extra=[nets])
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "A tanh net of 100 units learns a Chebyshev polynomial at 20 points by full-batch gradient descent with momentum β = 0.9. Shown is the largest eigenvalue of the "
        "Hessian by step, in units of the method's own limit (dashed). Dotted: where it would settle if the limit were 2/lr."
    )
