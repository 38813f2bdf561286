"""How ln of the squared factor of δ is distributed over seeds, with the predicted normal density."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

from experiments.figures.style.look import INK, OKABE_ITO
from experiments.figures.style.panels import THEORY, legend, panels

NAMES = {"identity": "linear", "relu": "ReLU"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one panel a setting: histogram and density."""
    logarithms, numbers = tables["logarithms"], tables["numbers"]
    drawing, cells = panels(len(numbers), 3.3, sharey=True)
    values = logarithms["logarithm"][np.isfinite(logarithms["logarithm"])]
    edges = np.linspace(values.min(), values.max(), 36)
    x = np.linspace(edges[0], edges[-1], 300)
    for axes, row in zip(cells, numbers.to_dict("records"), strict=True):
        own = logarithms[(logarithms["activation"] == row["activation"]) & (logarithms["width"] == row["width"])]
        color = OKABE_ITO[0 if row["activation"] == "relu" else 1]
        axes.hist(own["logarithm"], edges.tolist(), density=True, color=color, alpha=0.45, gid="measured")
        axes.plot(x, stats.norm.pdf(x, -row["beta"] / 2, np.sqrt(row["beta"])), THEORY, color=INK, lw=1.4, gid="theory")
        axes.axvline(row["mean"], color=color, lw=1.6, gid="mean")
        axes.set_title(f"{NAMES.get(row['activation'], row['activation'])}, width {row['width']}, β = {row['beta']:.2g}")
        axes.set_xlabel("ln(‖δ^1‖² / ‖δ^21‖²)")
    cells[0].set_ylabel("density over seeds")
    legend(drawing, measured=False, theory="N(−β/2, β)")
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    n = int(tables["numbers"]["n"].min())
    return (
        f"Distribution over {n} seeds of ln of the squared factor of δ through 20 layers, for one example, in "
        "untrained nets whose mean square "
        "of δ is kept. The colored line is the mean of the logarithm; it lies below 0 although the mean of the factor is 1. Dashed: the "
        "predicted normal density, which has no free parameter."
    )
