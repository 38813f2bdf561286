"""How the entries of δ are distributed, layer by layer.

At the first and the last recorded step: one column a layer, the share of its entries as colour.
"""

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.data.tables import distributions
from experiments.figures.style.facets import sentences
from experiments.figures.style.strips import not_finite, strips
from experiments.store.tables import Results

ORDER = 42


def table(results: Results, axes: list[str]) -> pd.DataFrame | None:
    """Return the share of entries per layer and bin."""
    return distributions(results, axes, "log10_abs_delta")


def draw(table: pd.DataFrame) -> Figure:
    """Draw one strip per setting and step."""
    return strips(table, y_label="log₁₀ |δ|", below="exactly 0", above="beyond", tail=0.0)


def caption(table: pd.DataFrame) -> str:
    """Say what is seen, and what is not."""
    read = (
        "Distribution of log₁₀ |δ| of single entries in every layer: "
        "all units, examples and seeds together, at the first and the last recorded step."
    )
    return sentences(read, not_finite(table), *table.attrs["roles"].notes)
