"""Factors of ‖δ‖ per layer by activation, at equal and at own initialization."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import GREY, INK, OKABE_ITO
from experiments.figures.style.panels import PUBLISHED, legend, panels

ROWS = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "ReLU", "leaky_relu": "leaky ReLU (.1)", "elu": "ELU"}
SETTINGS = {"equal": "equal initialization, 1/n", "own": "its own: Xavier or He"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one row an activation, one point a setting."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.6, 8.4)
    axes.axvline(1, color=GREY, lw=1)
    places = {name: len(ROWS) - 1 - i for i, name in enumerate(ROWS)}
    for i, setting in enumerate(SETTINGS):
        rows = numbers[numbers["setting"] == setting]
        y = np.array([places[name] for name in rows["activation"]]) + (0.13 if i == 0 else -0.13)
        reach = np.maximum([rows["measured"] - rows["low"], rows["high"] - rows["measured"]], 0)
        axes.errorbar(rows["measured"], y, xerr=reach, fmt="o", color=OKABE_ITO[i], ms=5, capsize=3, lw=1.4, gid="measured")
        axes.plot(rows["theory"], y, "|", color=INK, ms=13, mew=1.4, gid="theory")
        axes.plot(rows["published"], y, gid="published", **PUBLISHED | {"mfc": "none", "ms": 9})
    axes.set_yticks(list(places.values()), list(ROWS.values()))
    axes.set(
        xlabel="factor of ‖δ‖ per layer, toward the input",
        xlim=(0, max(1.1, 1.05 * float(numbers["high"].max()))),
        ylim=(-0.5, len(ROWS) - 0.5),
    )
    handles = [Line2D([], [], color=OKABE_ITO[i], marker="o", ls="none", ms=5, label=name) for i, name in enumerate(SETTINGS.values())]
    handles.append(Line2D([], [], color=INK, marker="|", ls="none", ms=11, mew=1.4, label="mean-field theory"))
    legend(drawing, measured=False, published="1/√2, ReLU", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Factor of ‖δ‖ per hidden layer in nets of 20 layers before training: geometric mean over seeds, bars are its 95 % interval. At 1 "
        "(grey line) δ keeps its size. Xavier is 1/n between hidden layers of equal width, so sigmoid and tanh have one value twice."
    )
