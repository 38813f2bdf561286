"""Sharpness in units of 2/lr, and the loss, by step."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import INK, OKABE_ITO, log_axis
from experiments.figures.style.panels import THEORY, legend, panels


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the sharpness at the left, the loss at the right, one line a net."""
    curves, losses, numbers = tables["curves"], tables["losses"], tables["numbers"].set_index("seed")
    drawing, (left, right) = panels(2, 3.8)
    for color, (seed, rows) in zip(OKABE_ITO * 3, curves.groupby("seed"), strict=False):
        left.plot(rows["step"], rows["measured"], "-o", color=color, lw=1.2, ms=2.5)
        own = losses[losses["seed"] == seed]
        right.plot(own["step"], own["loss"], color=color, lw=0.8)
        reached = own[own["step"] == numbers["reached"].get(seed)]
        right.plot(reached["step"], reached["loss"], "o", color=color, mfc="white", mec=INK, ms=6, zorder=5)
    left.axhline(1, color=INK, ls=THEORY, lw=1.3)
    left.set(xlabel="step", ylabel="sharpness ÷ (2/lr)")
    left.set_ylim(0, max(1.25, 1.05 * float(curves["measured"].max())))
    log_axis(right.yaxis, losses["loss"])
    right.set(xlabel="step", ylabel="loss")
    reaching = Line2D([], [], marker="o", mfc="white", mec=INK, ms=6, ls="none", label="the sharpness comes to the edge")
    nets = Line2D([], [], color=OKABE_ITO[0], label="one net each")
    legend(drawing, measured=False, theory="2/lr", extra=[nets, reaching])
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "A tanh net of 100 units learns a Chebyshev polynomial at 20 points by full-batch gradient descent. Left: the "
        "largest eigenvalue of the Hessian in units of 2/lr, every 60 steps. "
        "Right: the loss of the same nets at every step. Beyond the circle, where the sharpness first comes near 2/lr, it "
        "no longer falls at every step, yet goes on falling in the long run."
    )
