"""The share of nets that train against the clipping threshold, and the norm of the gradient before and after clipping."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from experiments.figures.style.look import GREY, INK, OKABE_ITO, log_axis
from experiments.figures.style.panels import legend, measured, panels
from experiments.text.numbers import number

SHOWN_ABOVE = 1e4
"""How far the axis of the norms reaches above the threshold; what explodes leaves it."""

COLORS = {"without clipping": OKABE_ITO[1], "before clipping": OKABE_ITO[5], "after clipping": OKABE_ITO[0]}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the shares at the left, the norms at the right."""
    numbers, norms, bounds = tables["numbers"], tables["norms"], tables["range"].iloc[0]
    drawing, (left, right) = panels(2, 3.9)
    left.axvspan(bounds["least"], bounds["most"], color=OKABE_ITO[4], alpha=0.16, lw=0)
    left.axhline(float(tables["without"]["measured"].iloc[0]), color=OKABE_ITO[1], lw=1.6)
    measured(left, numbers, "multiple")
    log_axis(left.xaxis, numbers["multiple"])
    left.set(xlabel="clipping threshold ÷ mean norm of the gradient", ylabel="share of nets that train", ylim=(-0.04, 1.04))
    for which, rows in norms.groupby("which"):
        right.plot(rows["step"], rows["measured"], color=COLORS[str(which)], lw=1.3)
    threshold = float(norms["threshold"].iloc[0])
    right.axhline(threshold, color=INK, lw=1, ls=":")
    bounded = norms.loc[norms["which"] != "without clipping", "measured"]
    log_axis(right.yaxis, [*bounded, SHOWN_ABOVE * threshold])
    right.set(xlabel="step", ylabel=f"norm of the gradient, threshold {number(threshold)}")
    handles = [
        Patch(fc=OKABE_ITO[4], alpha=0.3, label="published range"),
        *(Line2D([], [], color=color, label=which) for which, color in COLORS.items()),
        Line2D([], [], color=INK, lw=1, ls=":", label="threshold"),
        Line2D([], [], color=GREY, marker="o", label="share measured"),
    ]
    legend(drawing, measured=False, band="95 %, Wilson", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    numbers, bounds = tables["numbers"], tables["range"].iloc[0]
    return (
        f"ReLU nets with ten hidden layers and weights √2 times He's, lr 0.05. Left: share of {int(numbers['n'].min())} nets "
        "a threshold that train, with Wilson's 95 % interval; "
        f"the mean norm is {number(float(bounds['mean_norm']))}, of the same nets at a hundredth of the lr without clipping. "
        "Right: norm of the gradient by step, median over the seeds that are "
        "still finite, at the threshold next to the mean norm; without clipping it leaves the axis at once."
    )
