"""How fast each layer learns: its error during training.

The norm of δ of every layer against the training step: where the curves of early layers lie far below those of late
ones, the early layers hardly learn.
"""

from matplotlib.figure import Figure

from experiments.figures.data import deltas
from experiments.figures.data.table import FigureTable
from experiments.figures.style.curves import curves
from experiments.figures.style.look import LAYERS, Colors
from experiments.figures.style.words import cut_off, lost, repeated, sentences
from experiments.store.tables import Results

ORDER = 20


def table(results: Results, axes: list[str]) -> FigureTable | None:
    """Return the norm of δ by layer and step."""
    return deltas.delta_over_steps(results, axes)


def draw(table: FigureTable) -> Figure:
    """Draw one curve per layer."""
    return curves(
        table,
        "step",
        color="layer",
        colors=Colors(table.frame["layer"], LAYERS),
        x_label="training step",
        y_label="norm of δ",
    )


def caption(table: FigureTable) -> str:
    """Say what is seen, and what is not."""
    read = "Norm of δ of every layer during training, dark for the first layer, bright for the output."
    several = bool((table.frame["n"] > 1).any())
    band = repeated(table) if table.frame["layer"].nunique() <= 8 else "Lines are the geometric mean over seeds." * several
    return sentences(read, band, lost(table, "norms"), cut_off(table), *table.roles.notes)
