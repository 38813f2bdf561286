"""The loss during training."""

from matplotlib.figure import Figure

from experiments.figures.data import courses
from experiments.figures.data.table import FigureTable
from experiments.figures.style.curves import curves
from experiments.figures.style.words import cut_off, lost, repeated, sentences
from experiments.store.tables import Results

ORDER = 50


def table(results: Results, axes: list[str]) -> FigureTable | None:
    """Return the loss by step."""
    return courses.course(results, axes, "loss", logarithmic=True, beside="test_loss")


def draw(table: FigureTable) -> Figure:
    """Draw one curve per setting, and a dashed one on the test examples where they were evaluated."""
    return curves(
        table,
        "step",
        color=table.roles.color,
        x_label="training step",
        y_label="loss J of the step's batch",
        logarithmic=True,
        extra={"beside_mean": ("--", "on the test examples")},
    )


def caption(table: FigureTable) -> str:
    """Say what is seen, and what is not."""
    return sentences(
        "Loss J of the batch at every step, λ term included.",
        "Dashed: on the test examples, without the λ term." if table.frame["beside_mean"].notna().any() else "",
        repeated(table, geometric=True),
        lost(table),
        cut_off(table),
        *table.roles.notes,
    )
