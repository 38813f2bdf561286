"""The accuracy that deep ReLU nets reach, by depth and initialization."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import OKABE_ITO, integer_axis
from experiments.figures.style.panels import legend, measured, panels

NAMES = {"he": "He", "xavier": "Xavier"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw accuracy against depth."""
    drawing, (axes,) = panels(1, 3.6, 7.2)
    handles = []
    for color, (init, rows) in zip(OKABE_ITO, tables["numbers"].groupby("init"), strict=False):
        measured(axes, rows, "depth", color, NAMES.get(str(init), str(init)))
        handles.append(axes.lines[-1])
    axes.set(xlabel="hidden layers", ylabel="training accuracy", ylim=(-0.03, 1.05))
    integer_axis(axes.xaxis)
    legend(drawing, measured=False, band="95 %", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Training accuracy of ReLU nets on fifty digits after a short training, the best learning rate of each seed: "
        "median over seeds with its 95 % bootstrap "
        "interval. Naming the most frequent class gives .1 to .2."
    )
