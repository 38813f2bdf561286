"""The sum of two successive |w| under clipped descent, over steps."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import OKABE_ITO, integer_axis
from experiments.figures.style.panels import legend, panels


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one panel a rate above 2, one line a start, and the runs that ended there as points."""
    paths, numbers = tables["paths"], tables["numbers"]
    drawing, cells = panels(paths["lr"].nunique() + 1, 3.2)
    starts = sorted(set(numbers["start"]))
    colors = dict(zip(starts, OKABE_ITO, strict=False))
    for axes, (lr, rows) in zip(cells[:-1], paths.groupby("lr"), strict=True):
        for start, path in rows.groupby("start"):
            axes.plot(path["step"], path["sum"], "-o", color=colors[float(str(start))], ms=3.5, gid="path")
        axes.plot(rows["step"], rows["product"], "--", color="black", lw=1.3, gid="theory")
        axes.set(xlabel="step t", ylabel="|w_(t−1)| + |w_t|", title=f"η = {lr:g}", ylim=(0, None))
        integer_axis(axes.xaxis)
    last = cells[-1]
    last.plot(numbers["theory"], numbers["measured"], "o", color=OKABE_ITO[0], ms=5, gid="measured")
    last.plot(numbers["theory"], numbers["theory"], "--", color="black", lw=1.3, gid="theory")
    last.set(xlabel="ηc", ylabel="|w_(t−1)| + |w_t| at the end", title="all runs")
    handles = [Line2D([], [], color=color, marker="o", label=f"w₀ = {start:g}") for start, color in colors.items()]
    legend(drawing, measured=False, theory="ηc", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Gradient descent on w²/2 with the gradient clipped at c. Left: above the rate 2 two successive |w| add up to ηc for ever. "
        "Right: where runs end; those at 0 have a rate below 2."
    )
