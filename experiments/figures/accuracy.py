"""The accuracy during training."""

from matplotlib.figure import Figure

from experiments.figures.data import courses
from experiments.figures.data.table import FigureTable
from experiments.figures.style.curves import curves
from experiments.figures.style.words import lost, repeated, sentences
from experiments.store.tables import Results

ORDER = 51


def table(results: Results, axes: list[str]) -> FigureTable | None:
    """Return the accuracy by step."""
    return courses.course(results, axes, "accuracy", logarithmic=False, beside="test_accuracy")


def draw(table: FigureTable) -> Figure:
    """Draw one curve per setting, and a dashed one on the test examples where they were evaluated."""
    return curves(
        table,
        "step",
        color=table.roles.color,
        x_label="training step",
        y_label="accuracy on the step's batch",
        logarithmic=False,
        extra={"beside_mean": ("--", "on the test examples")},
    )


def caption(table: FigureTable) -> str:
    """Say what is seen, and what is not."""
    return sentences(
        "Share of the step's batch that is classified right, at every step.",
        "Dashed: of the test examples." if table.frame["beside_mean"].notna().any() else "",
        repeated(table, geometric=False),
        lost(table),
        *table.roles.notes,
    )
