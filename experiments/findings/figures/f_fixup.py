"""The branches' share of one step's effect on the output, by the number of blocks, with and without Fixup's factor."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import OKABE_ITO, log_axis
from experiments.figures.style.panels import legend, measured, panels

NAMES = {"zero_last": "last matrix 0, the other as drawn", "fixup": "Fixup: the other × 1/√L"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the effect against the number of blocks, both axes logarithmic, one curve a start of the branches."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.6, 7.2)
    handles = []
    for color, start in zip(OKABE_ITO, NAMES, strict=False):
        measured(axes, numbers[numbers["start"] == start], "blocks", color, NAMES[start])
        handles.append(axes.lines[-1])
    log_axis(axes.xaxis, numbers["blocks"])
    log_axis(axes.yaxis, numbers[["low", "high"]])
    axes.set(xlabel="blocks L", ylabel="−Δf / (η ∂J/∂f), of the branches")
    legend(drawing, measured=False, band="95 %", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    slopes = ", ".join(f"{row['measured']:.3f} ({NAMES[row['start']]})" for row in tables["slopes"].to_dict("records"))
    return (
        "By how much the first step of gradient descent moves the output through the branches of residual ReLU nets of two matrices a "
        "block whose second begins at 0, per learning rate η and ∂J/∂f: arithmetic mean over seeds with its 95 % interval. Slopes on "
        f"these logarithmic axes: {slopes}."
    )
