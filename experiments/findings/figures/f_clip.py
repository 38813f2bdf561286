"""Which learning rates are safe from which start, with and without clipping."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import OKABE_ITO, log_axis
from experiments.figures.style.panels import legend, note, panels, theory
from experiments.findings.finding import Finding
from experiments.text.numbers import number


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw every run as a mark at its start and rate, over the limit of gradient descent."""
    plain, clipped = tables["plain"], tables["clipped"]
    drawing, (axes,) = panels(1, 4.2, 7.6)
    grid = np.linspace(plain["start"].min() - 1, plain["start"].max() + 1, 100)
    theory(axes, pd.DataFrame({"start": grid, "theory": 2 * grid / np.sinh(grid)}), "start")
    marks = (
        (plain[plain["safe"]], "o", OKABE_ITO[2], "gradient descent converges"),
        (plain[~plain["safe"]], "x", OKABE_ITO[1], "gradient descent diverges"),
        (clipped[clipped["steps"].notna()], "s", OKABE_ITO[0], "clipped descent converges"),
        (clipped[clipped["steps"].isna()], "X", "#000000", "clipped descent does not"),
    )
    handles = []
    for rows, mark, color, label in marks:
        if len(rows):
            axes.plot(rows["start"], rows["rate"], mark, color=color, ms=6, mew=1.6, mfc=color if mark == "s" else "none", gid=label)
            handles.append(
                Line2D([], [], ls="none", marker=mark, color=color, ms=6, mew=1.6, mfc=color if mark == "s" else "none", label=label)
            )
    for row in clipped[clipped["rate"] == 1].to_dict("records"):
        note(axes, row["start"] + 0.12, 1.12, f"{row['steps']:.0f} steps", va="bottom")
    log_axis(axes.yaxis, [*plain["rate"], *clipped["rate"], 1.6])
    axes.set(xlabel="start w₀ of J(w) = cosh w − 1", ylabel="learning rate", xlim=(grid[0], grid[-1]))
    note(axes, 8.5, float(17 / np.sinh(8.5)), "2w₀/sinh w₀", xytext=(8, 8), textcoords="offset points")
    legend(drawing, measured=False, extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame], finding: Finding) -> str:
    """Say what is seen."""
    return (
        "Each mark is one run of one weight. The dashed line is the rate above which the first step of gradient descent lands "
        "farther from the "
        "minimum than it started; the slope at w₀ is sinh w₀, so the limit falls exponentially with the start. Clipped to a "
        "step of at most "
        "one learning rate, the same rates serve every start; the numbers are steps until the loss is below "
        f"{number(finding.threshold('arrived'), typeset=True)}."
    )
