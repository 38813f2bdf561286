"""How large the error is, layer by layer, before training.

The norm of δ at step 0 against the layer: a straight line on this logarithmic axis is a constant factor per layer.
"""

from matplotlib.figure import Figure

from experiments.figures.data.deltas import delta_profile
from experiments.figures.data.table import FigureTable
from experiments.figures.style.curves import curves
from experiments.figures.style.words import lost, repeated, sentences
from experiments.store.tables import Results

ORDER = 10


def table(results: Results, axes: list[str]) -> FigureTable | None:
    """Return the norm of δ by layer at step 0."""
    return delta_profile(results, axes, "first")


def draw(table: FigureTable) -> Figure:
    """Draw one curve per setting, theory dashed."""
    return curves(
        table,
        "layer",
        color=table.roles.color,
        x_label="layer (the last is the output)",
        y_label="norm of δ",
        markers=table.frame["layer"].max() <= 30,
        extra={"theory": ("--", "theory")},
    )


def caption(table: FigureTable) -> str:
    """Say what is seen, and what is not."""
    predicted = table.frame["theory"].notna().any()
    theory = "Dashed: theory's prediction from architecture, weights' variance and data alone." if predicted else ""
    read = (
        "Norm of δ = ∂J/∂z (root mean square over examples) at initialization, by layer. "
        "Falling to the left is vanishing, rising to the left exploding."
    )
    return sentences(read, repeated(table), theory, lost(table, "norms"), *table.roles.notes)
