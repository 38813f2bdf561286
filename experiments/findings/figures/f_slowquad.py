"""The output of one neuron over epochs, with either cost, from a mild and from a bad start."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import OKABE_ITO
from experiments.figures.style.panels import legend, panels, published


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw output against epoch at the left, |δ| at the right."""
    curves, numbers = tables["curves"], tables["numbers"]
    drawing, (left, right) = panels(2, 3.8)
    colors = dict(zip(sorted(curves["weight"].unique()), OKABE_ITO, strict=False))
    lines = {"quadratic": "-", "cross-entropy": ":"}
    for (cost, weight), rows in curves.groupby(["cost", "weight"]):
        line = lines[str(cost)]
        left.plot(rows["epoch"], rows["measured"], color=colors[weight], ls=line, lw=2, gid="measured")
        right.plot(rows["epoch"], rows["delta"], color=colors[weight], ls=line, lw=2, gid="delta")
    published(left, numbers, "epoch")
    left.set(xlabel="epoch", ylabel="output (target 0)", ylim=(0, 1.05))
    right.set(xlabel="epoch", ylabel="|δ|, the size of the gradient", ylim=(0, 1.05))
    starts = [Line2D([], [], color=color, lw=2, label=f"start {_start(weight)}") for weight, color in colors.items()]
    costs = [Line2D([], [], color="#333333", ls=line, lw=2, label=f"{cost} cost") for cost, line in lines.items()]
    legend(drawing, measured=False, published="published (two digits)", extra=[*starts, *costs])
    return drawing


def _start(weight: float) -> str:
    return {0.6: "(.6, .9), output .82", 2.0: "(2, 2), output .98"}.get(weight, f"w = {weight:g}")


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "One sigmoid neuron, input 1, target 0, learning rate .15, measured without randomness: a line is one run. Left: its output. "
        "Right: |δ| = |∂J/∂z|, which with the quadratic cost carries the factor σ′(z) and is smallest where the neuron is most wrong; with "
        "the cross-entropy it is the error itself. A learning rate means something else under each cost; compare the shapes."
    )
