"""The ratio of δ in the first and the last hidden layer of a funnel, by norm and by unit."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import GREY, OKABE_ITO, log_axis
from experiments.figures.style.named_rows import named_rows, point, tick
from experiments.figures.style.panels import legend, panels

NAMES = {"he fan_in": "He by fan-in", "he fan_out": "He by fan-out", "xavier 1": "Xavier", "xavier √2": "Xavier × √2"}
QUANTITIES = {"norm": "‖δ‖² of the layer", "unit": "mean square of a unit's δ"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one row an initialization, one point a quantity."""
    numbers = tables["numbers"].assign(word=tables["numbers"]["init"].map(NAMES))
    drawing, (axes,) = panels(1, 3.4, 7.6)
    axes.axvline(1, color=GREY, lw=1)
    order = [word for word in NAMES.values() if word in set(numbers["word"])]
    for i, (color, kind) in enumerate(zip(OKABE_ITO, QUANTITIES, strict=False)):
        named_rows(axes, numbers[numbers["quantity"] == kind], "word", order, color, 0.14 - 0.28 * i)
    log_axis(axes.xaxis, numbers[["low", "high"]])
    axes.set_xlabel("first hidden layer ÷ last hidden layer")
    handles = [point(color, words) for color, words in zip(OKABE_ITO, QUANTITIES.values(), strict=False)]
    legend(drawing, measured=False, published="published", extra=[*handles, tick()])
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "δ before training in ReLU nets of 512, 256, 128, 64 and 32 hidden units, one example: first hidden layer over the last "
        "hidden one, mean over seeds with its 95 % interval. At 1 (grey line) it is preserved: a layer's norm by fan-in, a unit by "
        "fan-out."
    )
