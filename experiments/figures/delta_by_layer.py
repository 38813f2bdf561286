"""How large the error is, layer by layer, before training.

The norm of δ at step 0 against the layer: a straight line on this logarithmic axis is a constant factor per layer.
"""

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.data.tables import delta_profile
from experiments.figures.style.facets import curves, lost, repeated, sentences
from experiments.store.tables import Results

ORDER = 10


def table(results: Results, axes: list[str]) -> pd.DataFrame | None:
    """Return the norm of δ by layer at step 0."""
    return delta_profile(results, axes, "first")


def draw(table: pd.DataFrame) -> Figure:
    """Draw one curve per setting, theory dashed."""
    return curves(
        table,
        "layer",
        color=table.attrs["roles"].color,
        x_label="layer (the last is the output)",
        y_label="norm of δ",
        markers=table["layer"].max() <= 30,
        extra={"theory": ("--", "theory")},
    )


def caption(table: pd.DataFrame) -> str:
    """Say what is seen, and what is not."""
    theory = "Dashed: theory's prediction from architecture, weights' variance and data alone." if table["theory"].notna().any() else ""
    read = (
        "Norm of δ = ∂J/∂z (root mean square over examples) at initialization, by layer. "
        "Falling to the left is vanishing, rising to the left exploding."
    )
    return sentences(read, repeated(table), theory, lost(table, "norms"), *table.attrs["roles"].notes)
