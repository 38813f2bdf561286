"""How large the error is, layer by layer, after training.

The same as at step 0, at each run's last recorded step.
"""

from matplotlib.figure import Figure

from experiments.figures.data.deltas import delta_profile
from experiments.figures.data.table import FigureTable
from experiments.figures.style.curves import curves
from experiments.figures.style.words import lost, repeated, sentences
from experiments.store.tables import Results

ORDER = 25


def table(results: Results, axes: list[str]) -> FigureTable | None:
    """Return the norm of δ by layer at the last recorded step."""
    return delta_profile(results, axes, "last")


def draw(table: FigureTable) -> Figure:
    """Draw one curve per setting."""
    return curves(
        table,
        "layer",
        color=table.roles.color,
        x_label="layer (the last is the output)",
        y_label="norm of δ",
        markers=table.frame["layer"].max() <= 30,
    )


def caption(table: FigureTable) -> str:
    """Say what is seen, and what is not."""
    steps = table.steps
    when = f"step {steps[0]}" if len(steps) == 1 else f"the last recorded step of each run ({steps[0]} to {steps[-1]})"
    return sentences(f"Norm of δ over layers at {when}.", repeated(table), lost(table, "norms"), *table.roles.notes)
