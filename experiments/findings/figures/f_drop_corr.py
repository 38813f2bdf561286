"""The cosine of the gradients at two inputs below the output, and the correlation that it tells of, by the rate of dropout."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import INK, OKABE_ITO, integer_axis, log_axis
from experiments.figures.style.panels import PUBLISHED, legend, measured, panels, theory


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the cosines with theory's, and c* over the rate."""
    drawing, (left, right) = panels(2, 3.6, 9.6)
    handles = []
    for i, (rate, rows) in enumerate(tables["profile"].groupby("rate")):
        measured(left, rows, "below", OKABE_ITO[i])
        theory(left, rows, "below")
        handles.append(Line2D([], [], color=OKABE_ITO[i], marker="o", label=f"p = {1 - float(str(rate)):.3g}"))
    log_axis(left.yaxis, tables["profile"]["measured"])
    integer_axis(left.xaxis)
    left.set(xlabel="layers below the output", ylabel="mean cosine of ∂f/∂z at two inputs")
    numbers = tables["numbers"]
    reach = np.maximum([numbers["measured"] - numbers["low"], numbers["high"] - numbers["measured"]], 0)
    right.errorbar(numbers["rate"], numbers["measured"], yerr=reach, fmt="o", color=INK, ms=5, capsize=3, gid="measured")
    theory(right, numbers, "rate")
    right.plot(numbers["rate"], numbers["published"], gid="published", **PUBLISHED | {"mfc": "none", "ms": 10})
    right.set(xlabel="share of the units that are dropped", ylabel="c*, correlation of two inputs", ylim=(0, 1), xlim=(0, None))
    legend(drawing, measured=False, theory="theory", published="published", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Critical ReLU nets (σ_w² = 2p) of 15 layers of 300 units before training. Left: mean cosine over pairs of 24 inputs of the "
        "gradient of the sum of the outputs, mean over seeds with its 95 % interval, falling by p(π − arccos c*)/π per layer; where inputs "
        "merged it would fall by p. Right: the correlation c* that this tells of, from the second layer below the output. Masks of two "
        "inputs are independent."
    )
