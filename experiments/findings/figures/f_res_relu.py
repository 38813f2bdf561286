"""‖δ‖² by block in ReLU nets with skip connections and without normalization."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import OKABE_ITO, integer_axis, log_axis
from experiments.figures.style.panels import legend, measured, panels, theory

TITLES = {"preactivation": "one matrix a block", "block": "two matrices a block"}
INITS = {"he": "σ_w² = 2", "lecun": "σ_w² = 1"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw ‖δ‖² against the block, one panel a kind of block, one curve an α and initialization."""
    profile = tables["profile"]
    drawing, axes = panels(len(TITLES), sharey=True)
    settings = sorted(profile[["alpha", "init"]].itertuples(index=False, name=None))
    handles = {}
    for color, (alpha, init) in zip(OKABE_ITO, dict.fromkeys(settings), strict=False):
        own = profile[(profile["alpha"] == alpha) & (profile["init"] == init)]
        for panel, skip in zip(axes, TITLES, strict=True):
            if len(rows := own[own["skip"] == skip]):
                measured(panel, rows, "block", color, f"α = {alpha:g}, {INITS.get(init, init)}")
                theory(panel, rows, "block")
                handles[alpha, init] = panel.lines[-2]
    for panel, title in zip(axes, TITLES.values(), strict=True):
        panel.set(title=title, xlabel="block, toward the output")
        integer_axis(panel.xaxis)
    log_axis(axes[0].yaxis, profile[["low", "high", "theory"]])
    axes[0].set_ylabel("‖δ‖² over that of the last sum")
    legend(drawing, measured=False, band="95 %", theory="theory", extra=list(handles.values()))
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Mean square of δ at the sums of ReLU nets with skip connections, of 20 blocks and 200 units, without normalization and before "
        "training, over that of the last sum: arithmetic mean over seeds with its 95 % interval. On this logarithmic axis a constant "
        "factor per block is a straight line. σ_v = σ_w in blocks of two matrices."
    )
