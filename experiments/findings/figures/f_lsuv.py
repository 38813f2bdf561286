"""The factor of ‖δ‖² per layer where every layer has unit variance."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import GREY, OKABE_ITO
from experiments.figures.style.named_rows import named_rows, point, tick
from experiments.figures.style.panels import legend, panels

NAMES = {"relu": "ReLU", "tanh": "tanh", "sigmoid": "sigmoid"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one row an activation."""
    numbers = tables["numbers"].assign(word=tables["numbers"]["activation"].map(NAMES))
    drawing, (axes,) = panels(1, 2.6, 7.2)
    axes.axvline(1, color=GREY, lw=1)
    named_rows(axes, numbers, "word", list(NAMES.values()))
    axes.set(xlabel="factor of ‖δ‖² per layer, toward the input", xlim=(0, max(1.1, 1.05 * float(numbers["high"].max()))))
    legend(drawing, measured=False, published="published", extra=[point(OKABE_ITO[0], "measured"), tick()])
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Factor of ‖δ‖² per layer toward the input before training, in nets whose orthonormal weights were scaled until every layer's z "
        "had variance 1, from the fifth hidden layer to the last: mean of the squares over seeds, bars are its 95 % interval. The popular "
        "claim is the grey line, 1; the diamonds are E φ′²/E φ²."
    )
