"""The cosine of weights and gradient, where it must be 0 and where it need not."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import GREY, OKABE_ITO, log_axis
from experiments.figures.style.named_rows import named_rows, point
from experiments.figures.style.panels import legend, panels
from experiments.findings.finding import Finding


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw one row a cosine."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.8, 7.6)
    for color, zero in zip(OKABE_ITO, (True, False), strict=False):
        named_rows(axes, numbers[numbers["zero"] == zero], "what", list(numbers["what"]), color)
    for name in ("zero_within", "seen_above"):
        axes.axvline(finding.threshold(name), color=GREY, lw=1)
    log_axis(axes.xaxis, [*numbers["low"], *numbers["high"], 1])
    axes.set_xlabel("|cosine| of weights and gradient")
    handles = [point(color, words) for color, words in zip(OKABE_ITO, ("must be 0", "need not be 0"), strict=False)]
    legend(drawing, measured=False, extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Modulus of the cosine of weights and gradient in hidden layers after 20 steps of gradient descent (growth: of weights and "
        "update, in all steps), geometric middle over layers, nets and both normalizations; bars from the smallest to the largest. What "
        "lies below 1e-18, 0 included, is drawn there. Grey lines are the rule's."
    )
