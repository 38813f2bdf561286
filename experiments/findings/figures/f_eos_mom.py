"""Sharpness by step in units of either method's limit."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import GREY, INK, OKABE_ITO, mark_beyond
from experiments.figures.style.panels import THEORY, legend, note, panels

NAMES = {"polyak": "Polyak", "nesterov": "Nesterov"}
TOP = 1.7
"""Where the axis ends; a net that diverges leaves it."""


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one panel a method, one line a net."""
    curves = tables["curves"]
    cases = list(curves.groupby(["method", "beta"]))
    drawing, cells = panels(len(cases), 3.8, sharey=True)
    for axes, ((method, beta), own) in zip(cells, cases, strict=True):
        for color, (_, rows) in zip(OKABE_ITO * 3, own.groupby("seed"), strict=False):
            axes.plot(rows["step"], rows["measured"], "-o", color=color, lw=1.2, ms=2.5)
            if rows["diverged"].any():
                mark_beyond(axes, [rows["step"].max()], color)
        axes.axhline(1, color=INK, ls=THEORY, lw=1.3)
        plain = float((own["measured"] / own["plain"]).iloc[0])
        axes.axhline(plain, color=GREY, ls=":", lw=1.2)
        note(axes, 0.98, plain, "2/lr, without momentum", xycoords=("axes fraction", "data"), ha="right", va="center")
        axes.set_title(f"{NAMES[str(method)]}, β = {beta:g}, lr = {own['lr'].iloc[0]:g}")
        axes.set_xlabel("step")
    cells[0].set_ylabel("sharpness ÷ limit")
    cells[0].set_ylim(0, TOP)
    nets = Line2D([], [], color=OKABE_ITO[0], marker="o", label="one net each")
    away = Line2D([], [], color=OKABE_ITO[0], marker="^", ls="none", label="diverged")
    legend(drawing, measured=False, theory="the method’s limit", extra=[nets, away])
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "A tanh net of 100 units learns a Chebyshev polynomial at 20 points by full-batch gradient descent with momentum. "
        "Shown is the largest eigenvalue of the "
        "Hessian by step, in units of the method's own limit (dashed). Dotted: where it would settle if the limit were 2/lr. "
        "With strong momentum of Polyak's kind nets come to the same limit and are thrown off it, back to flat places or away for good."
    )
