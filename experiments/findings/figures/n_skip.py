"""‖δ‖ of the first sum over that of the last, by the number of blocks."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import GREY, integer_axis, log_axis
from experiments.figures.style.panels import legend, measured, panels, theory
from experiments.findings.finding import Finding


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw the ratio against the number of blocks, and up to where it would count as kept."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.6, 7.2)
    measured(axes, numbers, "blocks")
    theory(axes, numbers, "blocks")
    axes.axhline(finding.threshold("kept_within"), color=GREY, lw=1)
    log_axis(axes.yaxis, [*numbers["low"], *numbers["high"], finding.threshold("kept_within")])
    integer_axis(axes.xaxis)
    axes.set(xlabel="blocks", ylabel="‖δ‖ of the first sum over the last's")
    legend(drawing, band="95 %", theory="theory")
    return drawing


def caption(tables: Mapping[str, pd.DataFrame], finding: Finding) -> str:
    """Say what is seen."""
    return (
        "By how much δ grows from the last sum to the first in ReLU nets with He initialization, skip connections around every layer, "
        "200 units and no normalization, before training: root of the arithmetic mean of the squares over seeds, with its 95 % "
        f"interval. Below the grey line, at a factor of {finding.threshold('kept_within'):g}, it would count as kept."
    )
