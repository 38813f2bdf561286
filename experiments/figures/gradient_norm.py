"""The gradient before and after clipping."""

from matplotlib.figure import Figure

from experiments.figures.data import courses
from experiments.figures.data.table import FigureTable
from experiments.figures.style.curves import curves
from experiments.figures.style.words import cut_off, lost, repeated, sentences
from experiments.store.tables import Results

ORDER = 61


def table(results: Results, axes: list[str]) -> FigureTable | None:
    """Return the norm of the gradient, before and after clipping, by step."""
    return courses.gradient_norms(results, axes)


def draw(table: FigureTable) -> Figure:
    """Draw the norm before as a full line, after as a dashed one."""
    return curves(
        table,
        "step",
        color=table.roles.color,
        x_label="training step",
        y_label="norm of the whole gradient",
        extra={"clipped_mean": ("--", "after clipping")},
    )


def caption(table: FigureTable) -> str:
    """Say what is seen, and what is not."""
    read = "Norm of all gradients together at every step, before clipping (full) and after it (dashed)."
    return sentences(read, repeated(table), lost(table, "norms"), cut_off(table), *table.roles.notes)
