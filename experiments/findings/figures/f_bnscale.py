"""How far three identities of batch normalization are off, and how the norm of the weights grows."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import GREY, OKABE_ITO, integer_axis, log_axis
from experiments.figures.style.panels import legend, measured, note, panels, theory

COLORS = {"batch": OKABE_ITO[0], "none": OKABE_ITO[1]}
WORDS = {"batch": "with batch normalization", "none": "without"}
FLOOR = 1e-17
"""Where an error of exactly zero is drawn."""


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the errors at the left, ‖W‖ over steps at the right."""
    numbers, growth = tables["numbers"], tables["growth"]
    drawing, (left, right) = panels(2, 3.6)
    identities = list(dict.fromkeys(numbers["identity"]))[::-1]
    for name, color in COLORS.items():
        rows = numbers[numbers["normalization"] == name]
        places = [identities.index(identity) for identity in rows["identity"]]
        left.plot(np.maximum(rows["measured"], FLOOR), places, "o", color=color, ms=7, gid=f"off_{name}")
    left.set_yticks([])
    left.set_ylim(-0.4, len(identities) - 0.3)
    for place, identity in enumerate(identities):
        left.axhline(place, color=GREY, lw=0.6)
        note(left, FLOOR, place + 0.16, identity, va="bottom")
    log_axis(left.xaxis, [FLOOR, *numbers["measured"], 10])
    left.set_xlabel("largest relative error")
    for name, color in COLORS.items():
        rows = growth[growth["normalization"] == name]
        measured(right, rows, "step", color)
        theory(right, rows, "step")
    integer_axis(right.xaxis)
    right.set(xlabel="step", ylabel="‖W‖ of layer 1 / ‖W‖ at the start")
    handles = [Line2D([], [], color=COLORS[name], marker="o", label=WORDS[name]) for name in COLORS]
    legend(drawing, measured=False, band="smallest to largest over seeds", theory="if ΔW ⊥ W", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Left: largest relative error of each identity over scales of the weights, seeds, layers and steps; 10⁻¹⁶ is the rounding of the "
        "arithmetic. Right: norm of the first layer's weights under plain gradient descent, mean over seeds; dashed, the norm "
        "if every update "
        "were orthogonal to the weights, √Π(1 + ‖ΔW‖²/‖W‖²). With batch normalization the two are one line."
    )
