"""The spectrum of a deep ReLU net's Jacobian with orthogonal weights, and its spread."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import GREY, OKABE_ITO, log_axis
from experiments.figures.style.named_rows import named_rows, point, tick
from experiments.figures.style.panels import legend, panels

LOWEST = 1e-4
"""Below which the spectra are cut off."""


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the spread at the left, the spectra at the right."""
    numbers, spectra = tables["numbers"], tables["spectra"]
    drawing, (left, right) = panels(2, 3.0)
    named_rows(left, numbers.assign(word="ReLU, orthogonal"), "word")
    left.axvline(0, color=GREY, lw=1)
    left.set(xlabel="Var(s²)/mean(s²)²", xlim=(-0.3, 1.1 * float(numbers["high"].max())))
    for color, (_, rows) in zip(OKABE_ITO, spectra[spectra["value"] > LOWEST].groupby("net"), strict=False):
        right.plot(rows["share"], rows["value"], color=color, gid="spectrum")
    right.axhline(1, color=GREY, lw=1)
    log_axis(right.yaxis, [LOWEST, spectra["value"].max()])
    right.set(xlabel="share of the singular values", ylabel="s² of ∂a^L/∂x")
    legend(drawing, measured=False, extra=[point(OKABE_ITO[0], "measured"), tick("theory, L")])
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Left: variance of s² over its squared mean, mean over seeds with its 95 % interval. Right: s² of each net, from the largest to "
        "the smallest. With isometry all would stand on the grey lines."
    )
