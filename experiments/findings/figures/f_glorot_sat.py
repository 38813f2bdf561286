"""Mean activation of every hidden layer while training."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import LAYERS, Colors
from experiments.figures.style.panels import legend, panels


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one panel a depth, one line a hidden layer."""
    profile = tables["activations"]
    depths = sorted(profile["depth"].unique())
    drawing, cells = panels(len(depths), 3.9, 7.2 if len(depths) == 1 else 9.6, sharey=True)
    colors = Colors(profile["layer"], LAYERS)
    for axes, depth in zip(cells, depths, strict=True):
        ends = []
        for layer, rows in profile[profile["depth"] == depth].groupby("layer"):
            axes.fill_between(rows["step"], rows["low"], rows["high"], color=colors(layer), alpha=0.2, lw=0)
            axes.plot(rows["step"], rows["measured"], color=colors(layer))
            ends.append((float(rows["measured"].iloc[-1]), layer, rows["step"].iloc[-1]))
        place = -1.0
        for end, layer, step in sorted(ends):  # names keep their distance where lines end together
            place = max(end, place + 0.035)
            axes.annotate(f"layer {layer}", (step, place), (4, -3), textcoords="offset points", fontsize=8, color=colors(layer))
        axes.set(xlabel="step", ylim=(0, 1))
        axes.margins(x=0.1)
        axes.set_title(f"{depth} hidden layers")
    cells[0].set_ylabel("mean activation")
    legend(drawing, measured=False, band="smallest to largest over seeds")
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    n = int(tables["numbers"]["n"].min())
    return (
        "Mean activation over units and examples of each hidden layer of sigmoid nets in training on digits, minibatches of "
        f"10: mean over {n} seeds, the band from "
        "the smallest to the largest. At ½ the sigmoid is at its steepest; toward 0 or 1 it is flat and passes no gradient on."
    )
