"""How correlations tend to 1 at ReLU's critical point, and which of six points keep δ and z."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import GREY, OKABE_ITO, log_axis
from experiments.figures.style.panels import legend, measured, panels, theory
from experiments.findings.finding import Finding


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw 1 − c against the layer at the left, the six points at the right."""
    decay, points = tables["decay"], tables["points"]
    drawing, (left, right) = panels(2, 4.0)
    measured(left, decay, "layer")
    theory(left, decay, "layer")
    far = decay[decay["compared"]]
    left.plot(far["layer"], far["asymptote"], ":", color=GREY, lw=1.8, gid="asymptote")
    if len(far):
        start = far.iloc[0]
        left.annotate("9π²/(2l²)", (start["layer"], start["asymptote"]), (5, 0), textcoords="offset points", fontsize=8.5, color=GREY)
    log_axis(left.xaxis, decay["layer"])
    log_axis(left.yaxis, decay[["low", "high", "theory"]])
    left.set(xlabel="layer l", ylabel="1 − c^l, distance of the correlation from 1")
    within = float(finding.threshold("kept_within"))
    right.axvspan(1 / within, within, color="#009E73", alpha=0.1, lw=0, gid="kept")
    right.axhspan(1 / within, within, color="#009E73", alpha=0.1, lw=0, gid="kept")
    log_axis(right.xaxis, [*points["delta"], 1 / within, within])
    log_axis(right.yaxis, [*points["z"], 1 / within, within])
    for i, (sigma_b, rows) in enumerate(points.groupby("sigma_b")):
        right.plot(rows["delta"], rows["z"], "o", color=OKABE_ITO[i], ms=6, gid="measured", label=f"σ_b = {sigma_b:g}")
        for row in rows.to_dict("records"):
            outer = row["delta"] > 10
            how: Any = {"textcoords": "offset points", "fontsize": 8, "ha": "right" if outer else "left"}
            right.annotate(f"σ_w² = {row['sigma_w'] ** 2:.3g}", (row["delta"], row["z"]), (-8 if outer else 8, 3 if i else -9), **how)
    right.legend(loc="upper left")
    right.set(xlabel="‖δ^1‖² / ‖δ^20‖²", ylabel="mean square of z, layer 20 over layer 1")
    legend(drawing, band="95 %", theory="correlation map")
    return drawing


def caption(tables: Mapping[str, pd.DataFrame], finding: Finding) -> str:
    """Say what is seen."""
    return (
        "Left: distance from 1 of the correlation between inputs (root mean square over pairs) in ReLU nets with σ_w² "
        "= 2, σ_b = 0; mean over seeds with "
        "its 95 % interval. On logarithmic axes a power of the layer is a straight line; dotted, the asymptote that "
        "the map approaches beyond the "
        "layers shown. Right: what 20 layers make of ‖δ‖² and of the mean square of z, geometric means over seeds. "
        f"Green: within a factor of {finding.threshold('kept_within'):g} of 1. "
        "Only σ_w² = 2 without biases lies where both bands cross."
    )
