"""Mean and variance of SELU's activations by layer, from two starting points."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import GREY, OKABE_ITO, integer_axis
from experiments.figures.style.panels import legend, measured, panels, theory

LABELS = {"a_mean": "mean of the activations", "a_var": "variance of the activations"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the mean at the left, the variance at the right."""
    profile = tables["profile"]
    drawing, axes = panels(2, 3.7)
    handles: list[Any] = []
    for panel, name, fixed in zip(axes, LABELS, (0.0, 1.0), strict=True):
        panel.axhline(fixed, color=GREY, lw=0.8, gid="fixed")
        handles = []
        for color, (start, rows) in zip(OKABE_ITO, profile[profile["quantity"] == name].groupby("start"), strict=False):
            measured(panel, rows, "layer", color, f"measured, input variance {start:.3g}")
            handles.append(panel.lines[-1])
            theory(panel, rows, "layer", color)
        integer_axis(panel.xaxis)
        panel.set(xlabel="layer", ylabel=LABELS[name])
    legend(drawing, measured=False, band="95 %", theory="mean-field theory", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Mean and variance over the units of a layer, before training, with inputs of variance .8 and 1.5: arithmetic mean "
        "over seeds with its 95 % interval. "
        "Grey: the fixed point (0, 1)."
    )
