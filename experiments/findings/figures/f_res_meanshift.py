"""The growth of the signal in residual nets whose branches are scaled by 1/√L, by where the skip is put."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import GREY, OKABE_ITO, integer_axis, log_axis
from experiments.figures.style.panels import legend, measured, panels, theory
from experiments.findings.finding import Finding

NAMES = {"postactivation": "E a², branches end in ReLU", "preactivation": "E z², sums before φ"}


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw the total against the number of blocks, one curve a place of the skip, and the claim's bound."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.6, 7.6)
    handles = []
    for color, (skip, rows) in zip(OKABE_ITO, numbers.groupby("skip", sort=False), strict=False):
        measured(axes, rows, "blocks", color, NAMES[str(skip)])
        handles.append(axes.lines[-1])
        theory(axes, rows, "blocks")
    axes.axhline(finding.threshold("bounded_by"), color=GREY, lw=1)
    log_axis(axes.yaxis, [*numbers["low"], *numbers["high"], finding.threshold("bounded_by")])
    integer_axis(axes.xaxis)
    axes.set(xlabel="blocks L", ylabel="total growth of the mean square")
    legend(drawing, measured=False, band="95 %", theory="theory", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame], finding: Finding) -> str:
    """Say what is seen."""
    factor = tables["factor"].iloc[-1]
    return (
        "By how much the mean square of the signal grows over the L blocks of ReLU nets with He initialization whose branches are "
        "multiplied by 1/√L, before training: arithmetic mean over seeds with its 95 % interval. Below the grey line, at "
        f"{finding.threshold('bounded_by'):g}, it counts as bounded. With α = 1 blocks that end in ReLU multiply E a² by "
        f"{factor['measured']:.4g} each, from the tenth on."
    )
