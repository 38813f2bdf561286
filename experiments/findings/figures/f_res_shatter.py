"""Cosine of gradients at two inputs against the depth, with skip connections and without."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import GREY, OKABE_ITO, log_axis
from experiments.figures.style.panels import legend, measured, panels, published, theory


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw cosine against depth on logarithmic axes, over the published law and over 2^(−L)."""
    numbers, plain = tables["numbers"], tables["plain"]
    drawing, (axes,) = panels(1, 3.8, 7.6)
    measured(axes, numbers, "depth", OKABE_ITO[0])
    theory(axes, numbers, "depth")
    published(axes, numbers, "depth")
    measured(axes, plain, "depth", OKABE_ITO[1])
    axes.plot(numbers["depth"], numbers["halved"], ":", color=GREY, lw=1.3, gid="halved")
    log_axis(axes.xaxis, numbers["depth"])
    log_axis(axes.yaxis, [*numbers["measured"], *plain["measured"], float(plain["measured"].min()) / 4])
    axes.set(xlabel="hidden layers L", ylabel="mean cosine of the gradients")
    handles = [
        Line2D([], [], color=OKABE_ITO[0], marker="o", label="with skips"),
        Line2D([], [], color=OKABE_ITO[1], marker="o", label="without"),
        Line2D([], [], color=GREY, ls=":", label="2^(−L)"),
    ]
    legend(drawing, measured=False, theory="theory", published="published", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Cosine between the gradients of the net's function at two independent inputs, taken at the first hidden layer, mean over all "
        "pairs: ReLU, He initialization, batch normalization, 200 units, with skip connections around every layer and "
        "without. Arithmetic mean over seeds with its 95 % interval (band). On these axes a power of the depth is a straight line; "
        "2^(−L) bends down and leaves the panel."
    )
