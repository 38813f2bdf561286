"""The factor of ‖δ‖² per layer behind φ, and the sigmoid's beside its twin's."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import GREY, INK, OKABE_ITO, integer_axis
from experiments.figures.style.named_rows import named_rows, point, tick
from experiments.figures.style.panels import legend, panels

NAMES = {"relu": "ReLU", "tanh": "tanh", "sigmoid": "sigmoid"}
KINDS = {"layer": "LayerNorm", "rms": "RMSNorm"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one row a setting at the left, the twins' factors by layer at the right."""
    numbers, twins = tables["numbers"], tables["twins"]
    drawing, (left, right) = panels(2, 3.8)
    left.axvline(1, color=GREY, lw=1)
    words = numbers["activation"].map(NAMES) + ", σ_w = " + numbers["scale"].map("{:g}".format)
    numbers = numbers.assign(word=words)
    order = sorted(dict.fromkeys(words), key=lambda word: (list(NAMES.values()).index(word.split(",")[0]), word))
    for color, kind, shift in zip(OKABE_ITO, KINDS, (0.16, -0.16), strict=False):
        named_rows(left, numbers[numbers["normalization"] == kind], "word", order, color, shift)
    left.set(xlabel="factor of ‖δ‖² per layer, toward the input", xlim=(0, max(1.1, 1.05 * float(numbers["high"].max()))))
    one = twins[twins["seed"] == twins["seed"].min()]
    right.plot(one["layer"], one["tanh"], "-", color=OKABE_ITO[2], gid="tanh")
    right.plot(one["layer"], one["sigmoid"], "o", mfc="none", mec=INK, ms=6, gid="sigmoid")
    integer_axis(right.xaxis)
    right.set(xlabel="layer", ylabel="‖δ^l‖² / ‖δ^(l+1)‖²")
    handles = [point(color, name) for color, name in zip(OKABE_ITO, KINDS.values(), strict=False)]
    handles += [
        tick(),
        Line2D([], [], color=OKABE_ITO[2], label="tanh at σ_w = 1"),
        Line2D([], [], marker="o", mfc="none", mec=INK, ls="none", ms=6, label="sigmoid at σ_w = 2"),
    ]
    legend(drawing, measured=False, published="published", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Left: factor of ‖δ‖² per layer toward the input before training, in nets of 30 layers of 300 units normalized behind φ, from "
        "the fifth hidden layer to the last: mean of the squares over seeds, bars are its 95 % interval. LayerNorm is never below 1 (grey "
        "line). Right: factors of one narrow sigmoid net, layer by layer, and of the tanh net of half its weights; one example, first seed."
    )
