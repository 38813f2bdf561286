"""The spectra of deep Jacobians, and their spread."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import OKABE_ITO, log_axis
from experiments.figures.style.named_rows import named_rows, point, tick
from experiments.figures.style.panels import legend, panels

NAMES = {
    "linear": "linear, Gaussian",
    "relu_gaussian": "ReLU, Gaussian",
    "relu_orthogonal": "ReLU, orthogonal",
    "tanh": "tanh, orthogonal, q* = .05",
    "tanh_small": "tanh, orthogonal, q* = .0123",
}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the spread of each setting at the left, the spectrum of its first net at the right."""
    numbers, spectra = tables["numbers"], tables["spectra"]
    drawing, (left, right) = panels(2, 3.8)
    for color, (setting, name) in zip(OKABE_ITO, NAMES.items(), strict=False):
        named_rows(left, numbers[numbers["setting"] == setting].assign(word=name), "word", list(NAMES.values()), color)
        rows = spectra[(spectra["setting"] == setting) & (spectra["value"] > LOWEST)]
        right.plot(rows["share"], rows["value"], color=color, gid="spectrum")
    log_axis(left.xaxis, numbers[["low", "high", "published"]])
    left.set_xlabel("Var(s²)/mean(s²)²")
    log_axis(right.yaxis, [LOWEST, spectra["value"].max()])
    right.set(xlabel="share of the singular values", ylabel="s² of ∂a^L/∂x")
    legend(drawing, measured=False, published="published", extra=[point(OKABE_ITO[0], "measured"), tick()])
    return drawing


LOWEST = 1e-4
"""Below which the spectra are cut off."""


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Singular values s of the Jacobian of the hidden layers at one example, at criticality, before training. Left: variance of s² "
        "over its squared mean, mean over seeds with its 95 % interval. Right: s² of the first net, from the largest to the smallest; "
        "ReLU's gates cut off what lies beyond."
    )
