"""The loss during training."""

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.data import tables
from experiments.figures.style.facets import curves, cut_off, lost, repeated, sentences
from experiments.store.tables import Results

ORDER = 50


def table(results: Results, axes: list[str]) -> pd.DataFrame | None:
    """Return the loss by step."""
    return tables.curves(results, axes, "loss", logarithmic=True)


def draw(table: pd.DataFrame) -> Figure:
    """Draw one curve per setting."""
    return curves(
        table, "step", color=table.attrs["roles"].color, x_label="training step", y_label="loss J of the step's batch", logarithmic=True
    )


def caption(table: pd.DataFrame) -> str:
    """Say what is seen, and what is not."""
    return sentences(
        "Loss J of the batch at every step, λ term included.",
        repeated(table, geometric=True),
        lost(table),
        cut_off(table),
        *table.attrs["roles"].notes,
    )
