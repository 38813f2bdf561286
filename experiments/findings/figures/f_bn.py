"""The factor of ‖δ‖² per layer under batch normalization, against the batch size."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import OKABE_ITO, log_axis
from experiments.figures.style.panels import legend, measured, panels, published, theory

NAMES = {"identity": "linear", "relu": "ReLU", "tanh": "tanh"}


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the factors, one curve an activation, and their limits for large batches."""
    numbers, limits = tables["numbers"], tables["limits"].set_index("activation")["theory"]
    drawing, (axes,) = panels(1, 3.9, 7.6)
    handles = []
    for color, (name, rows) in zip(OKABE_ITO, numbers.groupby("activation"), strict=False):
        measured(axes, rows, "batch", color, NAMES.get(str(name), str(name)))
        handles.append(axes.lines[-1])
        theory(axes, rows, "batch")
        published(axes, rows, "batch")
        axes.axhline(limits[name], color=color, lw=0.9, ls=":", gid="limit")
    log_axis(axes.xaxis, numbers["batch"])
    axes.set_xticks(sorted(numbers["batch"].unique()), labels=[str(batch) for batch in sorted(numbers["batch"].unique())])
    axes.set(xlabel="batch size B", ylabel="factor of ‖δ‖² per layer")
    legend(drawing, measured=False, band="95 %", theory="theory", published="published", extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Factor of ‖δ‖² per layer toward the input with batch normalization before φ, before training, from the third hidden "
        "layer to the last: geometric mean over "
        "seeds with its 95 % interval. Above 1 δ grows. Dashed: theory for infinite width; dotted: its limit for large batches."
    )
