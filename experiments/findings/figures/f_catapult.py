"""The loss that is catapulted, and the curvature that it ends with."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import GREY, INK, OKABE_ITO, integer_axis, log_axis
from experiments.figures.style.panels import legend, panels
from experiments.findings.finding import Finding


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw the loss over steps, the last curvature against the rate, and the borders by width."""
    path, nets, borders = tables["path"], tables["nets"], tables["numbers"]
    drawing, (left, middle, right) = panels(3, 3.4)
    handles = []
    for color, (lr, rows) in zip(OKABE_ITO, path[path["loss"] > 0].groupby("lr"), strict=False):
        left.plot(rows["step"], rows["loss"], color=color, lw=1.2, gid="loss")
        handles.append(Line2D([], [], color=color, label=f"lr = {lr:g}"))
    log_axis(left.yaxis, [1e-12, 1.0])
    left.set_ylim(1e-12, 3)
    integer_axis(left.xaxis)
    left.set(xlabel="step", ylabel="loss, first seed")
    alive = nets[~nets["diverged"].astype(bool)]
    middle.plot(alive["lr"], alive["curvature"], "o", color=OKABE_ITO[0], ms=5, gid="curvature")
    middle.axhline(finding.values["curvature"], color=GREY, lw=1)
    middle.axvline(finding.values["border"], color=INK, lw=1)
    middle.set(xlabel="learning rate", ylabel="curvature ‖u‖² + ‖v‖² at the end", ylim=(0, None))
    right.errorbar(
        borders["width"], borders["measured"], yerr=np.array([borders["measured"] - borders["low"], borders["high"] - borders["measured"]]),
        fmt="o", color=OKABE_ITO[0], ms=5, capsize=3, gid="measured",
    )  # fmt: skip
    right.axhline(finding.values["border"], color=INK, lw=1)
    log_axis(right.xaxis, borders["width"])
    right.set(xlabel="width", ylabel="border to divergence")
    handles.append(Line2D([], [], color=INK, lw=1, label="4/λ₀"))
    legend(drawing, measured=False, extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Gradient descent on J = (u·v)²/2 from ‖u‖² + ‖v‖² = 2. Left: above 2/λ₀ = 1 the loss first explodes. Middle: nets that did not "
        "diverge end with less curvature than they began with (grey). Right: the border to divergence; bars reach to the rates next to "
        "it."
    )
