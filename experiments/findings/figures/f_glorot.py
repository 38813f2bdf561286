"""Factors of ‖δ‖² by layer, standard and normalized initialization."""

from collections.abc import Mapping
from fractions import Fraction

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import GREY, OKABE_ITO, integer_axis
from experiments.figures.style.panels import legend, measured, panels, published
from experiments.findings.finding import Finding

NAMES = {"standard": "standard, U(±1/√n)", "normalized": "normalized (Xavier)"}


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw factor against layer, one curve an initialization."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.6, 7.6)
    last = numbers["layer"].max()
    for i, name in enumerate(NAMES):
        rows = numbers[numbers["initialization"] == name]
        rows = rows if name == "standard" else rows[rows["layer"] < last]
        measured(axes, rows, "layer", OKABE_ITO[i])
        published(axes, rows, "layer")
    regime = float(finding.values["linear_regime"])
    axes.axhline(regime, color=GREY, lw=1, gid="regime")
    axes.annotate(_fraction(regime), (1, regime), (0, 4), textcoords="offset points", fontsize=8.5, color=GREY)
    axes.set(xlabel="hidden layer l", ylabel="‖δ^l‖² / ‖δ^(l+1)‖²", ylim=(0, 1))
    integer_axis(axes.xaxis)
    handles = [Line2D([], [], color=OKABE_ITO[i], label=word) for i, word in enumerate(NAMES.values())]
    legend(drawing, band="95 %", published="by the length map", extra=handles)
    return drawing


def _fraction(value: float) -> str:
    return str(Fraction(value).limit_denominator(10))


def caption(tables: Mapping[str, pd.DataFrame], finding: Finding) -> str:
    """Say what is seen."""
    return (
        "Share of the mean square of δ that a layer passes on toward the input, five tanh layers of 1000 units before training: "
        "arithmetic mean over seeds, the band is its 95 % interval. Activations shrink from layer to layer, so that the later layers are "
        "nearer to linear and lose less by saturation; what the standard initialization then still loses is its "
        f"n·Var(W) = {_fraction(finding.values['linear_regime'])} (grey line). The fifth layer of the normalized initialization is left "
        "out, since the narrow output layer has a variance of its own there."
    )
