"""Effective rank against layer, with and without batch normalization, one color per width."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import INK, SEQUENTIAL, Colors, log_axis
from experiments.figures.style.panels import legend, measured, panels


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw rank against layer, without normalization at the left, with it at the right."""
    profile = tables["profile"]
    drawing, cells = panels(2, 3.8, sharey=True)
    colors = Colors(profile["width"], SEQUENTIAL)
    for axes, name, title in zip(cells, ("none", "batch"), ("without normalization", "with batch normalization"), strict=True):
        for width, rows in profile[profile["normalization"] == name].groupby("width"):
            measured(axes, rows, "layer", colors(width))
            if name == "batch":
                axes.axhline(float(rows["width"].iloc[0]) ** 0.5, color=colors(width), lw=1.2, ls="--")
        log_axis(axes.xaxis, profile["layer"])
        axes.set(xlabel="layer", title=title)
    log_axis(cells[0].yaxis, profile[["measured"]].assign(one=1.0))
    cells[0].set_ylabel("effective rank of the activations")
    widths = [Line2D([], [], color=colors(width), marker="o", label=f"d = {width}") for width in sorted(profile["width"].unique())]
    widths.append(Line2D([], [], color=INK, ls="--", lw=1.2, label="√d"))
    legend(drawing, measured=False, band="95 %", extra=widths)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Effective rank (Σs²)²/Σs⁴ of the layer's activations over d examples, from their singular values s, in linear nets of width d at "
        "initialization: arithmetic mean over seeds with its 95 % interval. Both axes are logarithmic. Without normalization "
        "all examples end on "
        "one direction (rank 1); with it the rank settles near √d, the dashed lines."
    )
