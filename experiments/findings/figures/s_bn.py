"""The accuracy that nets reach against the learning rate, with and without batch normalization."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import OKABE_ITO, log_axis
from experiments.figures.style.panels import legend, measured, panels

NAMES = {"none": "without normalization", "batch": "with batch normalization"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw a panel an activation."""
    accuracy, factors = tables["accuracy"], tables["numbers"].set_index(["activation", "normalization"])["measured"]
    names = list(accuracy["activation"].unique())
    drawing, axes = panels(len(names), 3.8, sharey=True)
    handles: list[Any] = []
    for panel, activation in zip(axes, names, strict=True):
        handles = []
        lines = []
        for color, (normalization, rows) in zip(
            OKABE_ITO, accuracy[accuracy["activation"] == activation].groupby("normalization"), strict=False
        ):
            measured(panel, rows, "lr", color, NAMES.get(str(normalization), str(normalization)))
            handles.append(panel.lines[-1])
            lines.append(f"{factors[activation, normalization]:.2f} {NAMES[str(normalization)].split()[0]}")
        log_axis(panel.xaxis, accuracy["lr"])
        panel.set(xlabel="learning rate", title=f"{activation}: factor of ‖δ‖ per layer {', '.join(lines)}")
    axes[0].set(ylabel="training accuracy", ylim=(-0.03, 1.05))
    legend(drawing, measured=False, band="95 %", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Training accuracy of nets of 10 hidden layers on a hundred digits after a short training, against the learning rate: "
        "median over seeds with its 95 % "
        "bootstrap interval; 0 where a net diverged. Above the panels: the geometric mean over seeds of the factor of ‖δ‖ per "
        "layer before training."
    )
