"""‖δ‖² by block in residual nets with batch normalization in their branches."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import OKABE_ITO, log_axis
from experiments.figures.style.panels import legend, measured, panels, published, theory

NAMES = {"relu_he": "ReLU, He", "relu_fan_in": "ReLU, σ_w = 1", "tanh_fan_in": "tanh, σ_w = 1"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw ‖δ‖² against 1 + l, both axes logarithmic, one curve a net."""
    profile, numbers = tables["profile"], tables["numbers"]
    drawing, (axes,) = panels(1, 3.8, 7.6)
    handles = []
    for color, (net, rows) in zip(OKABE_ITO, profile.groupby("net"), strict=False):
        measured(axes, rows, "place", color, NAMES.get(str(net), str(net)))
        handles.append(axes.lines[-1])
        theory(axes, rows, "place")
    published(axes, numbers.dropna(subset=["place"]), "place")
    log_axis(axes.xaxis, profile["place"])
    log_axis(axes.yaxis, [*profile["low"], *profile["high"], *numbers["published"]])
    axes.set(xlabel="1 + l, behind l blocks", ylabel="‖δ‖² over that of the last sum")
    legend(drawing, measured=False, band="95 %", theory="theory", published="published", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Mean square of δ at the sums of residual nets of 50 blocks and 200 units with batch normalization in the branches, before "
        "training, over that of the last sum: arithmetic mean over seeds with its 95 % interval. On these logarithmic axes a power of "
        "the depth is a straight line; exponential growth would bend. The growth of the variances stands in the table."
    )
