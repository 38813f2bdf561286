"""The accuracy that deep sigmoid nets reach, by normalization and its place."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import GREY, OKABE_ITO
from experiments.figures.style.named_rows import named_rows, point
from experiments.figures.style.panels import legend, panels
from experiments.findings.finding import Finding

NAMES = {
    "none": "none",
    "layer before": "LayerNorm before φ",
    "rms before": "RMSNorm before φ",
    "layer behind": "LayerNorm behind φ",
    "batch": "batch normalization",
}


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw one row a normalization, one point a depth."""
    numbers = tables["numbers"].assign(word=tables["numbers"]["kind"].map(NAMES))
    drawing, (axes,) = panels(1, 3.4, 7.6)
    for name in ("stalled_below", "trained_from"):
        axes.axvline(finding.threshold(name), color=GREY, lw=1)
    depths = sorted(set(numbers["depth"]))
    for i, (color, depth) in enumerate(zip(OKABE_ITO, depths, strict=False)):
        named_rows(axes, numbers[numbers["depth"] == depth], "word", list(NAMES.values()), color, 0.14 - 0.28 * i)
    axes.set(xlabel="training accuracy", xlim=(0, 1.05))
    handles = [point(color, f"{depth} hidden layers") for color, depth in zip(OKABE_ITO, depths, strict=False)]
    handles.append(Line2D([], [], color=GREY, lw=1, label="stalled below, trained above"))
    legend(drawing, measured=False, extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Training accuracy of sigmoid nets on a hundred digits after a short training, the best learning rate of each seed: median over "
        "seeds with its 95 % bootstrap interval. Naming the most frequent class gives .1 to .2. Normalized example by example before φ, "
        "nets stand where they stand without normalization."
    )
