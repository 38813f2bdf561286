"""The largest learning rate that trains, under plain descent."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import GREY, OKABE_ITO, log_axis
from experiments.figures.style.named_rows import point
from experiments.figures.style.panels import legend, panels, published

NAMES = {
    "descent_mse": "SGD, ReLU, mse",
    "descent_tanh": "SGD, tanh, σ_w = 2, mse",
    "descent_softmax": "SGD, ReLU, softmax",
}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one row a setting: the rates at the left, their ratio beside the published at the right."""
    numbers = tables["numbers"]
    drawing, (left, right) = panels(2, 3.2)
    y = np.arange(len(numbers))[::-1]
    for color, column in zip(OKABE_ITO, ("without", "with"), strict=False):
        left.plot(numbers[column], y, "o", color=color, ms=7, gid=column)
    left.set_yticks(y, [NAMES[name] for name in numbers["setting"]])
    log_axis(left.xaxis, numbers[["without", "with"]])
    left.set(xlabel="largest learning rate that trains", ylim=(-0.5, len(numbers) - 0.5))
    right.plot(numbers["measured"], y, "o", color=OKABE_ITO[2], ms=7, gid="measured")
    published(right, numbers.assign(place=y, x=numbers["published"]), "x", y="place")
    right.axvline(1, color=GREY, lw=1)
    right.set_yticks(y, [""] * len(numbers))
    log_axis(right.xaxis, [*numbers["measured"], *numbers["published"], 1])
    right.set(xlabel="with warm-up ÷ without", ylim=(-0.5, len(numbers) - 0.5))
    handles = [point(color, words) for color, words in zip(OKABE_ITO, ("without warm-up", "with 100 steps of it", "ratio"), strict=False)]
    legend(drawing, measured=False, published="published", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "The largest learning rate of a grid of steps of 2.15 at which at least two of three nets of three hidden layers learn a "
        "hundred digits by heart in 300 steps. The popular claim is the grey line, 1."
    )
