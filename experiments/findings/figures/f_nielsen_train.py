"""Norms by epoch for every hidden layer, and the ratio of the last over the first with Nielsen's values."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import GREY, LAYERS, Colors, log_axis
from experiments.figures.style.panels import legend, panels, published


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw two panels a depth: above the norms by layer, below the ratio."""
    profile, ratios, numbers = tables["layers"], tables["ratios"], tables["numbers"]
    depths = sorted(profile["depth"].unique())
    drawing, _ = panels(1, 5.6)
    drawing.clear()
    cells = drawing.subplots(2, len(depths), sharex=True, sharey="row", squeeze=False, height_ratios=(3, 2))
    colors = Colors(profile["layer"], LAYERS)
    for column, depth in enumerate(depths):
        upper, lower = cells[0][column], cells[1][column]
        for layer, rows in profile[profile["depth"] == depth].groupby("layer"):
            upper.fill_between(rows["step"], rows["low"], rows["high"], color=colors(layer), alpha=0.15, lw=0)
            upper.plot(rows["step"], rows["measured"], color=colors(layer))
            last = rows.iloc[-1]
            upper.annotate(
                f"layer {layer}", (last["step"], last["measured"]), (4, -3), textcoords="offset points", fontsize=8, color=colors(layer)
            )
        upper.set_title(f"{depth} hidden layers")
        rows = ratios[ratios["depth"] == depth]
        lower.fill_between(rows["step"], rows["low"], rows["high"], color=GREY, alpha=0.25, lw=0)
        lower.plot(rows["step"], rows["measured"], color=GREY)
        published(lower, numbers[numbers["depth"] == depth], "epoch")
        lower.set_xlabel("epoch")
        upper.margins(x=0.12)
    log_axis(cells[0][0].yaxis, profile[["low", "high"]])
    log_axis(cells[1][0].yaxis, [*ratios["low"], *ratios["high"], *numbers["published"]])
    cells[0][0].set_ylabel("norm of the mean δ")
    cells[1][0].set_ylabel("last ÷ first layer")
    legend(drawing, measured=False, band="smallest to largest over seeds", published="Nielsen's ratios, one net of his")
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    n = int(tables["numbers"]["n"].min())
    return (
        "Sigmoid nets with hidden layers of 30 units, full-batch gradient descent on 1000 images. Above: norm of the mean δ "
        "by epoch, one line a hidden layer, "
        f"geometric mean over {n} seeds, the band from the smallest to the largest. Below: the ratio of the last to the "
        "first hidden layer; open diamonds are Nielsen's."
    )
