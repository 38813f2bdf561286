"""The share of units that inputs out of scale saturate, and Adam's steps to targets out of scale."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import OKABE_ITO, log_axis
from experiments.figures.style.named_rows import named_rows, point, tick
from experiments.figures.style.panels import PUBLISHED, legend, panels, theory


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one row a setting at the left, steps against the target's size at the right."""
    numbers, targets = tables["numbers"], tables["targets"]
    drawing, (left, right) = panels(2, 4.0)
    named_rows(left, numbers, "setting")
    left.set(xlabel="share of saturated units of layer 1", xlim=(-0.02, 1.02))
    theory(right, targets, "target")
    right.plot(targets["target"], targets["measured"], "o", color=OKABE_ITO[0], ms=5, gid="measured")
    right.plot(targets["target"], targets["published"], gid="published", **PUBLISHED | {"mfc": "none", "ms": 9})
    log_axis(right.xaxis, targets["target"])
    log_axis(right.yaxis, targets[["measured", "theory"]])
    right.set(xlabel="target S", ylabel="steps of Adam until a tenth of the loss is left")
    legend(drawing, measured=False, theory="bound", published="published", extra=[point(OKABE_ITO[0], "measured"), tick("formula")])
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Left: share of units and examples of the first layer whose slope is below 5 % of its maximum, before training, σ_w = 1; mean "
        "over seeds with its 95 % interval. The formula takes the lengths of the examples that there are. Right: a single linear unit, "
        "η = .01."
    )
