"""By how much ‖δ‖² grows per layer under dropout with He's initialization."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import GREY
from experiments.figures.style.panels import legend, measured, panels, theory
from experiments.findings.finding import Finding


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw the factor over the rate, and where it would keep δ."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.4, 6.4)
    axes.axhline(finding.values["ratio"], color=GREY, lw=1)
    theory(axes, numbers, "rate")
    measured(axes, numbers, "rate")
    axes.set(xlabel="share of the units that are dropped", ylabel="factor of ‖δ‖² per layer", xlim=(0, None))
    legend(drawing, band="95 % interval", theory="theory, 1/p")
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Factor of ‖δ‖² per layer toward the input before training in ReLU nets of 20 layers of 400 units with He's initialization, from "
        "the first hidden layer to the last, mean of the squares over seeds. The grey line is what the advice promises."
    )
