"""What twenty layers leave of δ with N(0, 1) and with variance 1/n, at several widths."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import GREY, INK, OKABE_ITO, log_axis
from experiments.figures.style.panels import legend, panels
from experiments.findings.finding import Finding

NAMES = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "ReLU"}
ROWS = {"normal": "N(0, 1)", "fan_in": "N(0, 1/n)"}


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw one row a scheme and width, one point an activation."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.6, 8.4)
    within = float(finding.threshold("kept_within"))
    axes.axvspan(1 / within, within, color="#009E73", alpha=0.1, lw=0, gid="kept")
    axes.axvline(1, color=GREY, lw=1)
    order = [(init, width) for init in ROWS for width in sorted(numbers["width"].unique())]
    places = {key: len(order) - 1 - i for i, key in enumerate(order)}
    for i, activation in enumerate(NAMES):
        rows = numbers[numbers["activation"] == activation]
        y = np.array([places[key] for key in zip(rows["init"], rows["width"], strict=True)]) + 0.2 * (1 - i)
        reach = np.maximum([rows["measured"] - rows["low"], rows["high"] - rows["measured"]], 0)
        axes.errorbar(rows["measured"], y, xerr=reach, fmt="o", color=OKABE_ITO[i], ms=5, capsize=2, lw=1.2, gid="measured")
        axes.plot(rows["theory"], y, "|", color=INK, ms=11, mew=1.4, gid="theory")
    axes.set_yticks(list(places.values()), [f"{ROWS[init]}, n = {width}" for init, width in order])
    log_axis(axes.xaxis, numbers[["low", "high"]])
    axes.set(xlabel="‖δ^1‖ / ‖δ^20‖, what twenty hidden layers leave of δ", ylim=(-0.6, len(order) - 0.4))
    handles = [Line2D([], [], color=OKABE_ITO[i], marker="o", ls="none", ms=5, label=name) for i, name in enumerate(NAMES.values())]
    handles.append(Line2D([], [], color=INK, marker="|", ls="none", ms=11, mew=1.4, label="mean-field theory"))
    legend(drawing, measured=False, extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame], finding: Finding) -> str:
    """Say what is seen."""
    return (
        "Norm of δ in the first hidden layer over that in the twentieth, before training: geometric mean over seeds, bars are its 95 % "
        f"interval, often narrower than the point. Green: within a factor of {finding.threshold('kept_within'):g} of 1. With N(0, 1) the "
        "outcome depends on the width n, with variance 1/n hardly."
    )
