"""Factors per layer against their bound, and what their product comes to."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import GREY, INK, OKABE_ITO, Colors, integer_axis, log_axis
from experiments.figures.style.panels import legend, panels

NAMES = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "ReLU"}
STYLES = ("-", "--", ":", "-.")


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw every layer's factor against its bound at the left, the product over layers against depth at the right."""
    layers, ends = tables["factors"], tables["ends"]
    layers = layers[layers["factor"] > 0]
    drawing, (left, right) = panels(2, 4.1)
    colors = dict(zip(NAMES, OKABE_ITO, strict=False))
    for activation, rows in layers.groupby("activation"):
        left.plot(rows["bound"], rows["factor"], "o", color=colors.get(str(activation), GREY), ms=3, alpha=0.6, gid="measured")
    line = np.array([layers["bound"].min() * 0.8, layers["bound"].max() * 1.25])
    left.plot(line, line, color=INK, lw=1.2, gid="bound")
    left.annotate("bound reached", (line[0] * 1.4, line[0] * 1.4), (0, 5), textcoords="offset points", rotation=35, fontsize=8, color=INK)
    log_axis(left.xaxis, line)
    log_axis(left.yaxis, [layers["factor"].min(), line[1]])
    left.set(xlabel="bound γ‖W^(l+1)‖₂", ylabel="factor ‖δ^l‖ / ‖δ^(l+1)‖")
    scales = sorted(ends["scale"].unique())
    tints = Colors(ends["scale"])
    for key, rows in ends.groupby(["activation", "scale"]):
        name, scale = tuple(key)
        style = STYLES[scales.index(scale) % len(STYLES)]
        right.plot(rows["depth"], rows["measured"], style, marker="o", color=colors.get(str(name), GREY), gid="measured")
    right.axhline(1, color=GREY, lw=1)
    log_axis(right.yaxis, ends["measured"])
    integer_axis(right.xaxis)
    right.set(xlabel="hidden layers D", ylabel="product of the factors, ‖δ^1‖ / ‖δ^D‖")
    handles = [Line2D([], [], color=colors[name], marker="o", label=word) for name, word in NAMES.items()]
    handles += [Line2D([], [], color=GREY, ls=STYLES[i % len(STYLES)], label=f"σ_w = {scale:g}") for i, scale in enumerate(tints.levels)]
    legend(drawing, measured=False, extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Left: one point a hidden layer, of untrained nets and of nets after 40 updates: its factor of ‖δ‖ (root mean "
        "square over examples) against "
        "the bound on it, γ the largest φ′ and ‖W‖₂ the largest singular value. Every point lies on or below the line. "
        "Right: the product of the factors of layers 1 to D−1 in untrained nets, geometric mean over seeds, against "
        "depth. Lines that start "
        "below 1 go on to 0, lines that start above go on growing."
    )
