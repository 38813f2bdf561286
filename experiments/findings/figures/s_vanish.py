"""The norm of δ by layer in sigmoid nets, and its factor per layer against the depth."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import SEQUENTIAL, Colors, integer_axis, log_axis
from experiments.figures.style.panels import legend, measured, panels, theory


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the profiles at the left, the factors at the right."""
    profile, numbers = tables["profile"], tables["numbers"]
    drawing, (left, right) = panels(2, 3.9)
    colors = Colors(profile["depth"], SEQUENTIAL)
    for depth, rows in profile.groupby("depth"):
        measured(left, rows, "layer", colors(depth))
        theory(left, rows, "layer")
        last = rows.iloc[-1]
        left.annotate(f"{depth}", (last["layer"], last["measured"]), (4, 0), textcoords="offset points", fontsize=8, color=colors(depth))
    log_axis(left.yaxis, profile[["low", "high"]])
    integer_axis(left.xaxis)
    left.set(xlabel="layer (the last is the output; its number is the depth)", ylabel="norm of δ")
    measured(right, numbers, "depth")
    theory(right, numbers, "depth")
    right.set(xlabel="hidden layers", ylabel="factor of ‖δ‖ per layer", ylim=(0, max(0.5, 1.1 * float(numbers["high"].max()))))
    integer_axis(right.xaxis)
    legend(drawing, band="left: smallest to largest over seeds; right: 95 %", theory="mean-field theory")
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Left: norm of δ (root mean square over examples) at initialization by layer, one curve per depth: geometric mean over seeds, the "
        "band from smallest to largest. A straight line on this logarithmic axis is a constant factor per layer. Right: that factor, "
        "geometric mean over seeds with its 95 % interval."
    )
