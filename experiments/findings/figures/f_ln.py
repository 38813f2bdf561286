"""The factor of ‖δ‖² per layer under LayerNorm and RMSNorm, before φ and after it."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import GREY, INK, OKABE_ITO
from experiments.figures.style.panels import PUBLISHED, legend, panels

NAMES = {"relu": "ReLU", "tanh": "tanh", "sigmoid": "sigmoid"}
KINDS = {"layer": "LayerNorm", "rms": "RMSNorm"}
PLACES = ("before", "after")


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one row an activation and place, one point a normalization."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.8, 8.4)
    axes.axvline(1, color=GREY, lw=1)
    order = [(name, place) for place in PLACES for name in NAMES]
    places = {key: len(order) - 1 - i for i, key in enumerate(order)}
    for i, kind in enumerate(KINDS):
        rows = numbers[numbers["normalization"] == kind]
        y = np.array([places[key] for key in zip(rows["activation"], rows["place"], strict=True)]) + (0.16 if i == 0 else -0.16)
        reach = np.maximum([rows["measured"] - rows["low"], rows["high"] - rows["measured"]], 0)
        axes.errorbar(rows["measured"], y, xerr=reach, fmt="o", color=OKABE_ITO[i], ms=5, capsize=3, lw=1.4, gid="measured")
        axes.plot(rows["theory"], y, "|", color=INK, ms=13, mew=1.4, gid="theory")
        axes.plot(rows["published"], y, gid="published", **PUBLISHED | {"mfc": "none", "ms": 9})
    axes.set_yticks(list(places.values()), [f"{place} {NAMES[name]}" for name, place in order])
    axes.set(
        xlabel="factor of ‖δ‖² per layer, toward the input",
        xlim=(0, max(1.1, 1.05 * float(numbers["high"].max()))),
        ylim=(-0.5, len(order) - 0.5),
    )
    handles = [Line2D([], [], color=OKABE_ITO[i], marker="o", ls="none", ms=5, label=name) for i, name in enumerate(KINDS.values())]
    handles.append(Line2D([], [], color=INK, marker="|", ls="none", ms=11, mew=1.4, label="theory"))
    legend(drawing, measured=False, published="published", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Factor of ‖δ‖² per layer toward the input before training, in nets of 30 layers of 300 units whose layers are normalized example "
        "by example, from the fifth hidden layer to the last: mean of the squares over seeds, bars are its 95 % interval. At 1 (grey line) "
        "δ keeps its size. Before φ the two normalizations agree; after it only where φ has no mean, as tanh."
    )
