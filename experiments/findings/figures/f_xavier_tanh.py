"""What is left of the mean square of δ at the first hidden layer, against the depth."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import log_axis
from experiments.figures.style.panels import legend, measured, panels, published, theory


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the ratio against depth, both axes logarithmic."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.6, 7.2)
    measured(axes, numbers, "depth")
    theory(axes, numbers, "depth")
    published(axes, numbers, "depth")
    log_axis(axes.xaxis, numbers["depth"])
    log_axis(axes.yaxis, numbers[["low", "high", "published", "theory"]])
    axes.set(xlabel="hidden layers D", ylabel="‖δ^1‖² / ‖δ^D‖²")
    legend(drawing, band="95 %", theory="mean-field theory", published="the claim")
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Mean square of δ at the first hidden layer as a share of the last's, tanh with Xavier initialization and no biases, "
        "before training: arithmetic mean over seeds with its 95 % interval. "
        "On these logarithmic axes a straight line is a power of the depth; an "
        "exponential decay would bend down."
    )
