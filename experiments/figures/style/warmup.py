"""The largest learning rates of some settings, with warm-up and without, and their ratio."""

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
    "adam": "Adam, ReLU, softmax",
}


def largest_rates(numbers: pd.DataFrame) -> Figure:
    """Draw one row a setting: the rates at the left, their ratio beside the published at the right.

    Args:
        numbers: setting, without, with, measured and published.
    """
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
