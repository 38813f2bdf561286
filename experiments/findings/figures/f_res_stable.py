"""The total growth of ‖δ‖² in residual nets whose branches are scaled by 1/√L, by the number of blocks."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import OKABE_ITO, integer_axis
from experiments.figures.style.panels import legend, measured, panels, published, theory

INITS = {"he": "He, σ_w² = 2", "lecun": "σ_w² = 1"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the total against the number of blocks, one curve an initialization."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.6, 7.2)
    handles = []
    for color, (init, rows) in zip(OKABE_ITO, numbers.groupby("init"), strict=False):
        measured(axes, rows, "blocks", color, INITS.get(str(init), str(init)))
        handles.append(axes.lines[-1])
        theory(axes, rows, "blocks")
        published(axes, rows, "blocks")
    axes.set(xlabel="blocks L", ylabel="total growth of ‖δ‖²", ylim=(0, None))
    integer_axis(axes.xaxis)
    legend(drawing, measured=False, band="95 %", theory="theory", published="published", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "By how much ‖δ‖² grows from the last sum to the first in ReLU nets with skip connections whose L branches are multiplied by "
        "1/√L, of 200 units, without normalization and before training: arithmetic mean over seeds with its 95 % interval."
    )
