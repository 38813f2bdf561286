"""The factor per layer, setting by setting.

By how much the norm of δ changes from one hidden layer to the one before it, at step 0: below 1 it vanishes.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.data import tables
from experiments.figures.data.roles import is_numeric, levels
from experiments.figures.style.facets import Panel, curves, lost, repeated, sentences
from experiments.store.tables import Results
from experiments.text.numbers import label

ORDER = 30


def table(results: Results, axes: list[str]) -> pd.DataFrame | None:
    """Return the per-layer factor along the axis with the most levels."""
    return tables.factor_by_axis(results, axes)


def draw(table: pd.DataFrame) -> Figure:
    """Draw the factor over a numeric axis, or over the words of a categorical one."""
    x = table.attrs["x"]
    numeric = is_numeric(table[x]) and table[x].notna().all()
    names = [label(level) for level in levels(table[x])]
    shown = table if numeric else table.assign(_place=[float(names.index(label(level))) for level in table[x]])
    shown.attrs = table.attrs

    def finish(panel: Panel) -> None:
        if numeric:
            return
        panel.axes.set_xticks(
            range(len(names)), names, rotation=0 if sum(map(len, names)) < 40 else 40, ha="center" if sum(map(len, names)) < 40 else "right"
        )
        panel.axes.set_xlim(-0.4, len(names) - 0.6)

    positive = bool(numeric and (table[x] > 0).all() and table[x].max() / table[x].min() >= 8)
    return curves(
        shown,
        x if numeric else "_place",
        color=table.attrs["roles"].color,
        x_label=x,
        y_label="factor of ‖δ‖ per layer",
        markers=True,
        extra={"theory": ("--", "theory")},
        one=1.0,
        x_logarithmic=positive,
        finish=finish,
        connect=numeric,
    )


def caption(table: pd.DataFrame) -> str:
    """Say what is seen, and what is not."""
    read = (
        "Geometric mean over hidden layers of ‖δ^l‖ / ‖δ^(l+1)‖ at step 0; "
        "the grey line at 1 parts vanishing (below) from exploding (above)."
    )
    theory = "Dashes: theory." if table["theory"].notna().any() else ""
    diverged = int(table["n_diverged"].sum())
    later = f"{diverged} of these runs diverged in training later." if diverged else ""
    none = int(np.isnan(table["mean"]).sum())
    without = f"{none} settings have no factor (fewer than two hidden layers with a positive norm)." if none else ""
    return sentences(read, repeated(table), theory, without or lost(table, "factors"), later, *table.attrs["roles"].notes)
