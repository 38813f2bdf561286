"""The size of Adam's first update, by setting, and by layer of a deep net."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import OKABE_ITO, integer_axis, log_axis
from experiments.figures.style.named_rows import named_rows
from experiments.figures.style.panels import legend, measured, panels, theory

NAMES = {
    "adam 64": "Adam, 64 units",
    "adam 256": "Adam, 256 units",
    "adam 1024": "Adam, 1024 units",
    "adam 64 σ_w 2": "Adam, 64 units, σ_w = 2",
    "rmsprop 64": "RMSprop, 64 units",
}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one row a setting at the left, the ratio over the layers of a deep net at the right."""
    numbers, layers = tables["numbers"].assign(word=tables["numbers"]["setting"].map(NAMES)), tables["layers"]
    drawing, (left, right) = panels(2, 3.6)
    named_rows(left, numbers, "word", list(NAMES.values()))
    log_axis(left.xaxis, numbers[["low", "high"]])
    left.set_xlabel("‖ΔW‖/(η‖W‖) of layer 2 in the first step")
    handles = []
    for color, (eps, rows) in zip(OKABE_ITO[1:], layers.groupby("eps"), strict=False):
        measured(right, rows, "layer", color)
        theory(right, rows, "layer")
        handles.append(Line2D([], [], color=color, marker="o", label=f"ε = {eps:.0e}"))
    log_axis(right.yaxis, layers["measured"])
    integer_axis(right.xaxis)
    right.set(xlabel="layer of a sigmoid net", ylabel="‖ΔW‖/(η‖W‖)")
    legend(drawing, theory="theory", published="published", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Norm of the first update over learning rate and norm of the weights. Left: second layer of tanh nets, mean over seeds with its "
        "95 % interval. Right: a sigmoid net of 20 layers, whose gradients fall by a factor of four per layer: without an ε to speak of, "
        "every layer moves alike; with Adam's 1e-8, what lies below it moves in proportion to its gradient. Dashed: √fan_in/σ_w, times "
        "rms g/ε where that is below 1; mean over seeds."
    )
