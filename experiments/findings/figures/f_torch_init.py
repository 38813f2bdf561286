"""The factor of ‖δ‖² per layer under PyTorch's default initialization, and under cut normal weights."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import GREY, OKABE_ITO, log_axis
from experiments.figures.style.named_rows import named_rows, point, tick
from experiments.figures.style.panels import legend, panels

NAMES = {
    "pytorch relu": "PyTorch, ReLU",
    "pytorch tanh": "PyTorch, tanh",
    "pytorch sigmoid": "PyTorch, sigmoid",
    "cut relu": "He cut at 2σ, ReLU",
    "corrected relu": "He cut and corrected, ReLU",
}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one row a setting."""
    numbers = tables["numbers"].assign(word=tables["numbers"]["setting"].map(NAMES))
    drawing, (axes,) = panels(1, 3.2, 7.6)
    axes.axvline(1, color=GREY, lw=1)
    named_rows(axes, numbers, "word", list(NAMES.values()))
    log_axis(axes.xaxis, [*numbers["low"], *numbers["high"], 1])
    axes.set_xlabel("factor of ‖δ‖² per layer, toward the input")
    legend(drawing, measured=False, published="published", extra=[point(OKABE_ITO[0], "measured"), tick()])
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Factor of ‖δ‖² per layer toward the input before training, from the fifth hidden layer to the last: mean of the squares over "
        "seeds, bars are its 95 % interval. At 1 (grey line) δ keeps its size; under PyTorch's default it loses at least two thirds of its "
        "square in every layer."
    )
