"""The factor of ‖δ‖ per layer against σ_w, and the growth beyond the border."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import GREY, OKABE_ITO, integer_axis, log_axis
from experiments.figures.style.panels import PUBLISHED, legend, measured, panels, theory

NAMES = {"identity": "linear", "tanh": "tanh", "relu": "ReLU"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the factors at the left, the growth with depth at the right."""
    factors, growth, numbers = tables["factors"], tables["growth"], tables["numbers"]
    drawing, (left, right) = panels(2, 3.9)
    colors = dict(zip(NAMES, OKABE_ITO, strict=False))
    left.axhline(1, color=GREY, lw=1)
    for activation, rows in factors.groupby("activation"):
        measured(left, rows, "scale", colors.get(str(activation), GREY))
        theory(left, rows, "scale", colors.get(str(activation), GREY))
    left.plot(numbers["published"], [1.0] * len(numbers), gid="published", **PUBLISHED)
    log_axis(left.yaxis, factors[["low", "high"]])
    left.set(xlabel="σ_w, scale of the weights", ylabel="factor of ‖δ‖ per layer")
    for activation, rows in growth.groupby("activation"):
        measured(right, rows, "depth", colors.get(str(activation), GREY))
        theory(right, rows, "depth", colors.get(str(activation), GREY))
    log_axis(right.yaxis, growth[["low", "high", "theory"]])
    integer_axis(right.xaxis)
    right.set(xlabel="hidden layers D", ylabel=f"growth ‖δ^1‖ / ‖δ^D‖ at σ_w = {factors['scale'].max():g}")
    handles = [Line2D([], [], color=colors[name], label=word) for name, word in NAMES.items()]
    legend(drawing, band="95 %", theory="mean-field theory", published="published border", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Left: factor of ‖δ‖ per layer, from the sixth hidden layer to the last of the deepest net, against the scale "
        "of the weights (σ_b² = .05): "
        "geometric mean over seeds with its 95 % interval. Above the grey line δ grows toward the input. Open "
        "diamonds: where χ₁ = 1. Right: "
        "how much larger δ is in the first than in the last hidden layer at the largest scale. On this logarithmic axis a straight line is "
        "exponential growth with depth."
    )
