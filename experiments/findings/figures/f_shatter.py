"""Cosine of gradients at two inputs against the depth, on independent inputs and on a grid."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import OKABE_ITO, integer_axis, log_axis
from experiments.figures.style.panels import legend, measured, panels, published

NAMES = {"independent": "independent inputs", "grid": "256 points on [−2, 2]"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw cosine against depth for both kinds of inputs, over the published law."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.8, 7.2)
    floor = float(numbers["published"].min()) / 4
    handles = []
    for color, (name, label) in zip(OKABE_ITO, NAMES.items(), strict=False):
        rows = numbers[numbers["inputs"] == name]
        measured(axes, rows.assign(low=np.maximum(rows["low"], floor)), "depth", color)
        handles.append(Line2D([], [], color=color, marker="o", label=label))
    published(axes, numbers[numbers["inputs"] == "independent"], "depth")
    log_axis(axes.yaxis, [floor, *numbers["high"], *numbers["published"]])
    integer_axis(axes.xaxis)
    axes.set(xlabel="hidden layers L", ylabel="mean cosine of the gradients")
    legend(drawing, measured=False, band="95 %", published="2^(−L)", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Cosine between the gradients of the net's function at two inputs, taken at the first hidden layer, mean over all "
        "pairs of 256 inputs: "
        "ReLU, He initialization, batch normalization, 200 units. Arithmetic mean over seeds with its 95 % interval; where that reaches "
        "below zero, the band is cut off at the bottom of the logarithmic axis."
    )
