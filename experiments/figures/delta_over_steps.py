"""How fast each layer learns: its error during training.

The norm of δ of every layer against the training step: where the curves of early layers lie far below those of late
ones, the early layers hardly learn.
"""

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.data import tables
from experiments.figures.style.facets import curves, cut_off, lost, repeated, sentences
from experiments.figures.style.look import LAYERS, Colors
from experiments.store.tables import Results

ORDER = 20


def table(results: Results, axes: list[str]) -> pd.DataFrame | None:
    """Return the norm of δ by layer and step."""
    return tables.delta_over_steps(results, axes)


def draw(table: pd.DataFrame) -> Figure:
    """Draw one curve per layer."""
    return curves(
        table,
        "step",
        color="layer",
        colors=Colors(table["layer"], LAYERS),
        x_label="training step",
        y_label="norm of δ",
    )


def caption(table: pd.DataFrame) -> str:
    """Say what is seen, and what is not."""
    read = "Norm of δ of every layer during training, dark for the first layer, bright for the output."
    band = repeated(table) if table["layer"].nunique() <= 8 else "Lines are the geometric mean over seeds." * int((table["n"] > 1).any())
    return sentences(read, band, lost(table, "norms"), cut_off(table), *table.attrs["roles"].notes)
