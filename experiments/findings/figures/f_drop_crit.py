"""The factor of the square per layer where units are dropped, by activation, rate and σ_w²."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import GREY, INK, OKABE_ITO
from experiments.figures.style.panels import PUBLISHED, legend, panels

NAMES = {"relu": "ReLU", "tanh": "tanh"}
WAYS = {"δ": "measured, ‖δ‖² toward the input", "z": "measured, ‖z‖² toward the output"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one row a setting, one point a direction."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 4.4, 8.4)
    axes.axvline(1, color=GREY, lw=1)
    settings = list(dict.fromkeys(zip(numbers["activation"], numbers["rate"], numbers["sigma_w2"], strict=True)))
    places = {key: len(settings) - 1 - i for i, key in enumerate(settings)}
    for i, way in enumerate(WAYS):
        rows = numbers[numbers["of"] == way]
        y = np.array([places[key] for key in zip(rows["activation"], rows["rate"], rows["sigma_w2"], strict=True)]) + 0.16 - 0.32 * i
        reach = np.maximum([rows["measured"] - rows["low"], rows["high"] - rows["measured"]], 0)
        axes.errorbar(rows["measured"], y, xerr=reach, fmt="o", color=OKABE_ITO[i], ms=5, capsize=3, lw=1.4, gid="measured")
        axes.plot(rows["theory"], y, "|", color=INK, ms=13, mew=1.4, gid="theory")
        axes.plot(rows["published"], y, gid="published", **PUBLISHED | {"mfc": "none", "ms": 9})
    axes.set_yticks(list(places.values()), [f"{NAMES[name]}, p = {1 - rate:.3g}, σ_w² = {weight:.3g}" for name, rate, weight in settings])
    axes.set(
        xlabel="factor of the square per layer",
        xlim=(0, max(1.1, 1.05 * float(numbers["high"].max()))),
        ylim=(-0.5, len(settings) - 0.5),
    )
    handles = [Line2D([], [], color=OKABE_ITO[i], marker="o", ls="none", ms=5, label=words) for i, words in enumerate(WAYS.values())]
    handles.append(Line2D([], [], color=INK, marker="|", ls="none", ms=11, mew=1.4, label="theory"))
    legend(drawing, measured=False, published="published", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Factor per layer of ‖δ‖² toward the input and, of ReLU, of ‖z‖² toward the output before training, in nets of 15 layers of "
        "400 units of which a share p is kept, from the fifth hidden layer to the last: mean of the squares over seeds, bars are its 95 % "
        "interval. At 1 (grey line) both keep their size. The rows of p = 1 are those nets with the mask off, as an evaluation sees them."
    )
