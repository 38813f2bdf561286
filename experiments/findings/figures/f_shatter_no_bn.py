"""Cosine of gradients at two inputs against the depth, without batch normalization."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import log_axis
from experiments.figures.style.panels import legend, measured, panels, published, theory


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw cosine against depth on logarithmic axes, over the claim and mean-field theory."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.8, 7.2)
    measured(axes, numbers, "depth")
    theory(axes, numbers, "depth")
    published(axes, numbers, "depth")
    log_axis(axes.xaxis, numbers["depth"])
    log_axis(axes.yaxis, numbers[["measured", "published", "theory"]])
    axes.set(xlabel="hidden layers L", ylabel="mean cosine of the gradients")
    legend(drawing, band="95 %", theory="mean-field theory", published="the claim, 2^(−L)")
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Cosine between the gradients of the net's function at two independent inputs, taken at the first hidden layer, mean "
        "over all pairs: "
        "ReLU, He initialization, no normalization, 200 units. Arithmetic mean over seeds with its 95 % interval. On these axes a power of "
        "the depth is a straight line; 2^(−L) bends down."
    )
