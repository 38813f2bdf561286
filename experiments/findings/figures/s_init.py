"""What is left of δ after twenty layers, by initialization and activation."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import GREY, INK, OKABE_ITO, log_axis
from experiments.figures.style.panels import legend, panels
from experiments.findings.finding import Finding

ROWS = {"normal": "N(0, 1)", "fan_in": "1/n", "xavier": "Xavier", "he": "He, 2/n", "orthogonal": "orthogonal"}
NAMES = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "ReLU"}


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw one row a scheme, one point an activation."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.8, 8.4)
    within = float(finding.threshold("kept_within"))
    axes.axvspan(1 / within, within, color="#009E73", alpha=0.1, lw=0, gid="kept")
    axes.axvline(1, color=GREY, lw=1)
    places = {init: len(ROWS) - 1 - i for i, init in enumerate(ROWS)}
    for i, (activation, name) in enumerate(NAMES.items()):
        rows = numbers[numbers["activation"] == activation]
        y = np.array([places[init] for init in rows["init"]]) + 0.22 * (1 - i)
        reach = np.maximum([rows["measured"] - rows["low"], rows["high"] - rows["measured"]], 0)
        axes.errorbar(rows["measured"], y, xerr=reach, fmt="o", color=OKABE_ITO[i], ms=5, capsize=2, lw=1.2, label=name, gid="measured")
        axes.plot(rows["theory"], y, "|", color=INK, ms=11, mew=1.4, gid="theory")
    axes.set_yticks(list(places.values()), list(ROWS.values()))
    log_axis(axes.xaxis, numbers[["low", "high"]])
    axes.set(xlabel="‖δ^1‖ / ‖δ^20‖, what twenty hidden layers leave of δ", ylabel="variance of a weight", ylim=(-0.6, len(ROWS) - 0.4))
    handles = [Line2D([], [], color=OKABE_ITO[i], marker="o", ls="none", ms=5, label=name) for i, name in enumerate(NAMES.values())]
    handles.append(Line2D([], [], color=INK, marker="|", ls="none", ms=11, mew=1.4, label="mean-field theory"))
    legend(drawing, measured=False, extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame], finding: Finding) -> str:
    """Say what is seen."""
    return (
        "Norm of δ in the first hidden layer over that in the twentieth, nets of 64 units before training: geometric mean over seeds; "
        "the bars are its 95 % interval, often narrower than the point. Green: within a factor of "
        f"{finding.threshold('kept_within'):g} of 1, the rule's “kept”. For the sigmoid N(0, 1) comes near because σ_w² = 64 at this width "
        "happens to; at another width it does not."
    )
