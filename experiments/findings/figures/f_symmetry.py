"""The rank of the gradients under constant and random weights, and the loss that zero weights come to."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import OKABE_ITO, integer_axis, log_axis
from experiments.figures.style.panels import legend, panels
from experiments.findings.finding import Finding

WORDS = {"constant": "constant weights", "random": "random weights"}


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw the second singular value by layer at the left, the loss over steps at the right."""
    numbers, loss = tables["numbers"], tables["loss"]
    drawing, (left, right) = panels(2, 3.4)
    handles = []
    for color, (weights, rows) in zip(OKABE_ITO, numbers.groupby("weights"), strict=False):
        left.plot(rows["layer"], rows["second"], "o", color=color, ms=6, gid="second")
        handles.append(Line2D([], [], color=color, marker="o", ls="none", ms=6, label=WORDS[str(weights)]))
    left.axhline(finding.threshold("rank_within"), color=OKABE_ITO[0], lw=1)
    log_axis(left.yaxis, np.append(numbers["second"], 1.0))
    integer_axis(left.xaxis)
    left.set(xlabel="hidden layer", ylabel="second singular value of ∂J/∂W ÷ first")
    right.plot(loss["step"], loss["measured"], color=OKABE_ITO[2], gid="measured")
    right.plot(loss["step"], loss["theory"], "--", color="black", lw=1.3, gid="theory")
    integer_axis(right.xaxis)
    right.set(xlabel="step", ylabel="loss with zero weights")
    handles.append(Line2D([], [], color=OKABE_ITO[2], label="zero weights"))
    legend(drawing, measured=False, theory="entropy of the labels", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Left: second over first singular value of ∂J/∂W after 50 steps, one point a hidden layer, activation and seed; the line is "
        "what the rule takes for rank 1, and gradients of exactly rank 1 lie below the axis. Right: loss of nets of zero weights, of "
        "which the output's bias alone learns."
    )
