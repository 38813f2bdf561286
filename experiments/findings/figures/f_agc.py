"""The accuracy of deep nets of too large weights, with adaptive clipping and without."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import GREY, OKABE_ITO, log_axis
from experiments.figures.style.panels import legend, measured, panels
from experiments.findings.finding import Finding

KINDS = {"adaptive": ("with clipping, by ηλ", OKABE_ITO[0]), "none": ("without, by η", OKABE_ITO[1])}


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw accuracy against what a unit may move."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.4, 7.2)
    handles = []
    for kind, (words, color) in KINDS.items():
        rows = numbers[numbers["kind"] == kind]
        measured(axes, rows, "product", color)
        handles.append(Line2D([], [], color=color, marker="o", label=words))
    axes.axhline(finding.threshold("trained_above"), color=GREY, lw=1)
    log_axis(axes.xaxis, numbers["product"])
    axes.set(xlabel="ηλ, what a unit may move of its norm; η without clipping", ylabel="training accuracy", ylim=(-0.03, 1.05))
    legend(drawing, measured=False, band="smallest to largest over seeds", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Training accuracy of ReLU nets of 20 layers with σ_w² = 4 on a hundred digits after 200 steps, mean over seeds; diverged nets "
        "count as 0. Grey: from where on a net counts as trained."
    )
