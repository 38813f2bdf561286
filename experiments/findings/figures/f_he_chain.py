"""The inverse factor of the gradient per layer, against the fan-in."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import log_axis
from experiments.figures.style.panels import legend, measured, panels, published, theory


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the inverse factors, both axes logarithmic."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.6, 7.2)
    measured(axes, numbers, "width")
    theory(axes, numbers, "width")
    published(axes, numbers, "width")
    log_axis(axes.xaxis, numbers["width"])
    log_axis(axes.yaxis, numbers[["low", "high", "published"]])
    axes.set_xticks(numbers["width"], labels=[str(width) for width in numbers["width"]])
    axes.set(xlabel="fan-in n", ylabel="‖δ^2‖ / ‖δ^1‖")
    legend(drawing, band="95 %", theory="√(2/(nσ²))", published="published")
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "By how many times one ReLU layer with weights of standard deviation .01 shrinks the gradient, for the four fan-ins "
        "of the example, before training: "
        "inverse of the root mean square over seeds, with its 95 % bootstrap interval."
    )
