"""The accuracy that nets of a hundred ReLU blocks reach, by what their branches begin as."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import GREY, OKABE_ITO
from experiments.figures.style.panels import panels
from experiments.findings.finding import Finding


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw one row a net, and the two bounds of the rule."""
    numbers = tables["numbers"]
    drawing, (axes,) = panels(1, 3.4, 7.6)
    y = np.arange(len(numbers))[::-1]
    reach = np.maximum([numbers["measured"] - numbers["low"], numbers["high"] - numbers["measured"]], 0)
    axes.errorbar(numbers["measured"], y, xerr=reach, fmt="o", color=OKABE_ITO[0], ms=6, capsize=3, lw=1.4, gid="measured")
    for bound in ("lost_below", "trained_from"):
        axes.axvline(finding.threshold(bound), color=GREY, lw=1)
    axes.set_yticks(y, list(numbers["net"]))
    axes.set(xlabel="training accuracy", xlim=(-0.03, 1.05), ylim=(-0.5, len(numbers) - 0.5))
    return drawing


def caption(tables: Mapping[str, pd.DataFrame], finding: Finding) -> str:
    """Say what is seen."""
    return (
        "Training accuracy of nets of a hundred ReLU blocks with He initialization on a hundred digits after a short training, the best "
        "learning rate of each seed: median over seeds with its 95 % bootstrap interval. Grey lines: at most "
        f"{finding.threshold('lost_below'):g} counts as not trained, at least {finding.threshold('trained_from'):g} as trained. Naming "
        "the most frequent class gives .1 to .2; a net that diverged counts as 0."
    )
