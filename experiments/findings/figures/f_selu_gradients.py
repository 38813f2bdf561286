"""How the mean square of δ grows toward the first hidden layer of a SELU net, against the depth."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import integer_axis, log_axis
from experiments.figures.style.panels import legend, measured, panels, published, theory


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the ratio against depth, the ratio logarithmic."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.6, 7.2)
    measured(axes, numbers, "depth")
    theory(axes, numbers, "depth")
    published(axes, numbers, "depth")
    integer_axis(axes.xaxis)
    log_axis(axes.yaxis, numbers[["low", "high", "published", "theory"]])
    axes.set(xlabel="hidden layers D", ylabel="‖δ^1‖² / ‖δ^D‖²")
    legend(drawing, band="95 %", theory="mean-field theory", published="the claim")
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Mean square of δ at the first hidden layer over the last's, SELU with LeCun's initialization, before training: "
        "arithmetic mean over seeds with its 95 % "
        "bootstrap interval. A straight line here is exponential growth with depth."
    )
