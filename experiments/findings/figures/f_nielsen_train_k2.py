"""The ratio of the second to the first hidden layer by epoch, one line a net."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import INK, OKABE_ITO, log_axis
from experiments.figures.style.panels import legend, note, panels, published


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the lines over the border at 1."""
    ratios = tables["ratios"]
    his = tables["published"]
    drawing, (axes,) = panels(1, 3.8, 7.2)
    for _, rows in ratios.groupby("seed"):
        axes.plot(rows["step"], rows["measured"], color=OKABE_ITO[0], lw=1.2, alpha=0.7)
    axes.axhline(1, color=INK, ls=":", lw=1.2)
    published(axes, his[his["step"] <= ratios["step"].max()], "step")
    log_axis(axes.yaxis, [*ratios["measured"], *his["published"], 1.0])
    note(axes, 0.99, 0.03, "below the line the first layer is the faster", xycoords="axes fraction", ha="right")
    axes.set(xlabel="epoch", ylabel="norm of the mean δ,\nsecond ÷ first hidden layer")
    handles = [Line2D([], [], color=OKABE_ITO[0], lw=1.2, label="one net each"), Line2D([], [], color=INK, ls=":", label="equally fast")]
    legend(drawing, measured=False, published="Nielsen's net", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    n = tables["ratios"]["seed"].nunique()
    return (
        f"Sigmoid nets with two hidden layers of 30 units in training, {n} draws of the weights. Nielsen's one net keeps the "
        "order of its layers at the epochs that he "
        "stored; a line that dips below 1 is a net in which the first layer learns faster for a while."
    )
