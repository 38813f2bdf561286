"""Where the activations lie, layer by layer.

At the first and the last recorded step: one column a layer, the share of its entries as colour.
"""

from matplotlib.figure import Figure

from experiments.figures.data.distributions import distributions
from experiments.figures.data.table import FigureTable
from experiments.figures.style.strips import not_finite, strips
from experiments.figures.style.words import sentences
from experiments.store.tables import Results

ORDER = 40


def table(results: Results, axes: list[str]) -> FigureTable | None:
    """Return the share of entries per layer and bin."""
    return distributions(results, axes, "a")


def draw(table: FigureTable) -> Figure:
    """Draw one strip per setting and step."""
    return strips(table, y_label="activation a", below="below", above="beyond")


def caption(table: FigureTable) -> str:
    """Say what is seen, and what is not."""
    read = (
        "Distribution of the activations a in every layer, all units, examples and seeds together, at the first and the last recorded step."
    )
    return sentences(read, not_finite(table), *table.roles.notes)
