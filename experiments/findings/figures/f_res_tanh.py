"""How ‖δ‖² grows over the blocks of residual tanh nets, against their number and against its root."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import integer_axis, log_axis
from experiments.figures.style.panels import legend, measured, panels, published, theory


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the totals by depth with those of the deepest net's first blocks, and the latter once more over √k."""
    numbers, profile = tables["numbers"], tables["profile"]
    drawing, (left, right) = panels(2, sharey=True)
    for axes, x in ((left, "block"), (right, "root")):
        measured(axes, profile, x)
        theory(axes, profile, x)
    published(left, numbers, "blocks")
    left.plot(numbers["blocks"], numbers["measured"], "o", color="black", ms=3, gid="measured", zorder=6)
    log_axis(left.yaxis, [*profile["low"], *profile["high"], *numbers["published"]])
    integer_axis(left.xaxis)
    left.set(xlabel="blocks k", ylabel="growth of ‖δ‖² over k blocks")
    right.set(xlabel="√k")
    legend(drawing, band="95 %", theory="theory", published="published")
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "By how much ‖δ‖² grows toward the input in tanh nets with skip connections around every layer, σ_w = 1, 200 units and no "
        "normalization, before training: over the first k blocks of the deepest net (blue) and over all blocks of nets of their own "
        "(black); arithmetic mean over seeds with its 95 % interval. On the left a constant factor per block would be a straight line, "
        "on the right exp(A√k) is."
    )
