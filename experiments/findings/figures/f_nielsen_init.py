"""Nielsen's norms as points on the seeds' band, one panel per depth."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import integer_axis, log_axis
from experiments.figures.style.panels import legend, measured, panels, published
from experiments.findings.finding import Finding


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw norm against layer, his values over ours."""
    numbers = tables["numbers"]
    depths = list(numbers.groupby("depth"))
    drawing, cells = panels(len(depths), 3.4, sharey=True)
    for axes, (depth, rows) in zip(cells, depths, strict=True):
        measured(axes, rows, "layer")
        published(axes, rows, "layer")
        log_axis(axes.yaxis, numbers[["low", "high", "published"]])
        integer_axis(axes.xaxis)
        axes.set_xlim(0.7, float(numbers["layer"].max()) + 0.3)
        axes.set_title(f"{depth} hidden layers")
        axes.set_xlabel("hidden layer")
    cells[0].set_ylabel("norm of the mean δ")
    legend(drawing, band=f"where one more seed falls, {_together(tables, finding)}", published="Nielsen's stored norms")
    return drawing


def _together(tables: Mapping[str, pd.DataFrame], finding: Finding) -> str:
    count = int(tables["numbers"]["published"].notna().sum())
    return f"{100 * finding.threshold('joint_confidence'):g} % for all {count} published norms together"


def caption(tables: Mapping[str, pd.DataFrame], finding: Finding) -> str:
    """Say what is seen."""
    n = int(tables["numbers"]["n"].min())
    return (
        f"‖mean over images of δ‖ by hidden layer before training, a 784-30-…-10 sigmoid net (64 inputs on the bundled digits): "
        f"median over {n} seeds, the band is where one more seed would fall ({_together(tables, finding)}). Open diamonds: "
        "the norms that Nielsen stored, from one seed of his own."
    )
