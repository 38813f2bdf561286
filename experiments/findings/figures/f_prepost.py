"""‖δ‖² of the last sum by the number of blocks, and factors per block, by where LayerNorm stands in residual nets."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import OKABE_ITO, log_axis
from experiments.figures.style.panels import legend, measured, panels, theory

PLACES = {"pre": "branch", "post": "after"}
NAMES = {"relu": "ReLU", "tanh": "tanh", "sigmoid": "sigmoid"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw ‖δ‖² of the last sum against the number of blocks, one curve a place and activation."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.8)
    handles = []
    for color, ((place, activation), rows) in zip(OKABE_ITO, numbers.groupby(["place", "activation"], sort=False), strict=False):
        measured(axes, rows, "length", color, f"{PLACES[str(place)]}: {NAMES.get(str(activation), str(activation))}")
        handles.append(axes.lines[-1])
        theory(axes, rows, "length")
    log_axis(axes.xaxis, numbers["length"])
    log_axis(axes.yaxis, numbers[["low", "high", "theory"]])
    axes.set(xlabel="1 + L, with L blocks", ylabel="‖δ‖² of the last sum over the output's")
    legend(drawing, measured=False, band="95 %", theory="theory", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    rates = tables["rates"]
    words = ", ".join(f"{NAMES.get(row['activation'], row['activation'])} {row['measured']:.4f}" for row in rates.to_dict("records"))
    return (
        "Mean square of δ at the last sum of residual nets of 200 units with LayerNorm in the branches (He) and after the addition (σ_w "
        "= 1), before training, over that at the output: arithmetic mean over seeds with its 95 % interval. On these logarithmic axes "
        f"1/(1 + L) is a straight line down. After the addition ‖δ‖² is multiplied per block by: {words}."
    )
