"""Which nets train, over σ_w² and depth, with the bound 6ξ_c over it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import INK
from experiments.figures.style.panels import heatmap, legend, note, panels
from experiments.findings.finding import Finding


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw the map of accuracies."""
    cells, contour = tables["map"], tables["contour"]
    drawing, (axes,) = panels(1, 4.2, 7.6)
    heatmap(
        axes, cells, "sigma_w2", "depth", "measured", label="training accuracy, best learning rate", norm=Normalize(0, 1), log_y=True,
        log_x=True, marked="wrong", contour=contour,
    )  # fmt: skip
    _ticks(axes.xaxis, sorted(cells["sigma_w2"].unique()))
    _ticks(axes.yaxis, sorted(cells["depth"].unique()))
    axes.set(xlabel=f"σ_w² (σ_b² = {cells['sigma_b2'].iloc[0]:.2g})", ylabel="hidden layers")
    note(axes, 0.03, 0.94, "ordered: inputs merge", xycoords="axes fraction", va="top")
    note(axes, 0.97, 0.94, "chaotic: inputs part", xycoords="axes fraction", ha="right", va="top")
    crosses = [Line2D([], [], color=INK, marker="x", ls="none", label="not as predicted")] if cells["wrong"].any() else []
    legend(drawing, measured=False, theory=f"{finding.values['depth_scale_multiple']:g}ξ_c, mean-field theory", extra=crosses)
    return drawing


def _ticks(axis: Any, places: list[float]) -> None:
    """Put ticks at the swept values."""
    axis.set_ticks(places, labels=[f"{place:.3g}" for place in places])
    axis.set_ticks([], minor=True)


def caption(tables: Mapping[str, pd.DataFrame], finding: Finding) -> str:
    """Say what is seen."""
    multiple = finding.values["depth_scale_multiple"]
    return (
        "Training accuracy of tanh nets of width 100 on a few dozen digits after a short training, one net a cell, the best of its "
        f"learning rates (0 where all diverged). Dashed: {multiple:g} correlation lengths, which grow without bound at the edge of chaos "
        "(σ_w² = 1.76); nets below the line should train, nets above it not. Both axes are logarithmic."
    )
