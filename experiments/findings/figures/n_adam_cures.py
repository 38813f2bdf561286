"""The accuracy that sigmoid nets reach with Adam, by depth."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import GREY, OKABE_ITO, integer_axis
from experiments.figures.style.panels import legend, measured, panels
from experiments.findings.finding import Finding

NAMES = {"with ε": "ε = 1e-8", "without ε": "ε = 1e-30"}


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw accuracy against depth."""
    drawing, (axes,) = panels(1, 3.4, 7.2)
    handles = []
    for color, (kind, rows) in zip(OKABE_ITO, tables["numbers"].groupby("kind"), strict=False):
        measured(axes, rows, "depth", color)
        handles.append(Line2D([], [], color=color, marker="o", label=NAMES[str(kind)]))
    for name in ("stalled_below", "trained_from"):
        axes.axhline(finding.threshold(name), color=GREY, lw=1)
    handles.append(Line2D([], [], color=GREY, lw=1, label="stalled below, trained above"))
    axes.set(xlabel="hidden layers", ylabel="training accuracy", ylim=(-0.03, 1.05))
    integer_axis(axes.xaxis)
    legend(drawing, measured=False, band="95 %", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Training accuracy of sigmoid nets on a hundred digits after 600 steps of Adam, the better of two learning rates of each seed: "
        "median over seeds with its 95 % bootstrap interval. Naming the most frequent class gives .1 to .2."
    )
