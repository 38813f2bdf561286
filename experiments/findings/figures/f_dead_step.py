"""The share of active units that one step kills, against its size."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import GREY, log_axis
from experiments.figures.style.panels import PUBLISHED, legend, measured, panels, theory
from experiments.findings.finding import Finding


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw share against learning rate."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.4, 7.2)
    measured(axes, numbers, "lr")
    theory(axes, numbers, "lr")
    axes.plot(numbers["lr"], numbers["published"], gid="published", **PUBLISHED | {"mfc": "none", "ms": 9})
    axes.axhline(finding.threshold("never_above"), color=GREY, lw=1)
    log_axis(axes.xaxis, numbers["lr"])
    axes.set(xlabel="learning rate η", ylabel="share of active units killed", ylim=(0, None))
    legend(drawing, band="95 %", theory="atan2(r, 1 − ρ)/π", published="published")
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Share of the active units of a layer of 1000 ReLUs that are 0 after one step of gradient descent on the one example, mean over "
        "seeds with its 95 % interval. However large the step, about half survive; grey is what would refute it."
    )
