"""The norm of δ in the first hidden layer and the loss, before and after training, against the learning rate."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import GREY, OKABE_ITO, log_axis
from experiments.figures.style.panels import legend, panels


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the norms at the left, the loss at the right."""
    numbers = tables["numbers"]
    drawing, (left, right) = panels(2, 3.7)
    handles = []
    for color, (activation, rows) in zip(OKABE_ITO, numbers.groupby("activation"), strict=False):
        rows = rows.sort_values("lr")
        left.plot(rows["lr"], rows["start"], "--", color=color, marker="s", mfc="white")
        left.plot(rows["lr"], rows["end"], "-o", color=color)
        left.fill_between(rows["lr"], rows["start"] * rows["low"], rows["start"] * rows["high"], color=color, alpha=0.22, lw=0)
        right.plot(rows["lr"], rows["loss_kept"], "-o", color=color)
        handles.append(Line2D([], [], color=color, label=str(activation)))
    bounds = pd.concat([numbers["start"], numbers["end"], numbers["start"] * numbers["low"], numbers["start"] * numbers["high"]])
    for axes in (left, right):
        log_axis(axes.xaxis, numbers["lr"])
        axes.set_xlabel("learning rate")
    log_axis(left.yaxis, bounds)
    left.set_ylabel("norm of δ, first hidden layer")
    right.axhline(1, color=GREY, lw=1)
    right.set_ylabel("loss after training ÷ before")
    right.set_ylim(0, 1.08 * max(1.0, float(numbers["loss_kept"].max())))
    handles.append(Line2D([], [], color=GREY, ls="--", marker="s", mfc="white", label="before training"))
    handles.append(Line2D([], [], color=GREY, marker="o", label="after training"))
    legend(drawing, measured=False, band="95 %", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Nets with five hidden layers before and after 100 steps. Left: norm of δ in the first hidden layer, geometric mean over seeds, "
        "the band being the 95 % interval of the change. Before training it is one number for all learning rates; with tiny "
        "ones it stays there. "
        "Right: what is left of the loss. A tiny learning rate stalls the learning, and leaves the gradient as it was."
    )
