"""The gradient before and after clipping."""

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.data import tables
from experiments.figures.style.facets import curves, cut_off, lost, repeated, sentences
from experiments.store.tables import Results

ORDER = 61


def table(results: Results, axes: list[str]) -> pd.DataFrame | None:
    """Return the norm of the gradient, before and after clipping, by step."""
    return tables.gradient_norms(results, axes)


def draw(table: pd.DataFrame) -> Figure:
    """Draw the norm before as a full line, after as a dashed one."""
    return curves(
        table,
        "step",
        color=table.attrs["roles"].color,
        x_label="training step",
        y_label="norm of the whole gradient",
        extra={"clipped_mean": ("--", "after clipping")},
    )


def caption(table: pd.DataFrame) -> str:
    """Say what is seen, and what is not."""
    read = "Norm of all gradients together at every step, before clipping (full) and after it (dashed)."
    return sentences(read, repeated(table), lost(table, "norms"), cut_off(table), *table.attrs["roles"].notes)
