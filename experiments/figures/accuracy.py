"""The accuracy during training."""

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.data import tables
from experiments.figures.style.facets import curves, lost, repeated, sentences
from experiments.store.tables import Results

ORDER = 51


def table(results: Results, axes: list[str]) -> pd.DataFrame | None:
    """Return the accuracy by step."""
    return tables.curves(results, axes, "accuracy", logarithmic=False)


def draw(table: pd.DataFrame) -> Figure:
    """Draw one curve per setting."""
    return curves(
        table, "step", color=table.attrs["roles"].color, x_label="training step", y_label="accuracy on the step's batch", logarithmic=False
    )


def caption(table: pd.DataFrame) -> str:
    """Say what is seen, and what is not."""
    return sentences(
        "Share of the step's batch that is classified right, at every step.",
        repeated(table, geometric=False),
        lost(table),
        *table.attrs["roles"].notes,
    )
