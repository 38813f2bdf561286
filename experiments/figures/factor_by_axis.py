"""The factor per layer, setting by setting.

By how much the norm of δ changes from one hidden layer to the one before it, at step 0: below 1 it vanishes.
"""

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from experiments.figures.data import factors
from experiments.figures.data.roles import is_numeric, levels
from experiments.figures.data.table import FigureTable
from experiments.figures.style.curves import curves
from experiments.figures.style.facets import Panel
from experiments.figures.style.words import lost, repeated, sentences
from experiments.store.tables import Results
from experiments.text.numbers import label

ORDER = 30


def table(results: Results, axes: list[str]) -> FigureTable | None:
    """Return the per-layer factor along the axis with the most levels."""
    return factors.factor_by_axis(results, axes)


def draw(table: FigureTable) -> Figure:
    """Draw the factor over a numeric axis, or over the words of a categorical one."""
    x = table.x
    frame = table.frame
    numeric = bool(is_numeric(frame[x]) and frame[x].notna().all())
    names = [label(level) for level in levels(frame[x])]
    places = [float(names.index(label(level))) for level in frame[x]]
    shown = table if numeric else replace(table, frame=frame.assign(_place=places))

    def finish(panel: Panel) -> None:
        if numeric:
            return
        panel.axes.set_xticks(
            range(len(names)), names, rotation=0 if sum(map(len, names)) < 40 else 40, ha="center" if sum(map(len, names)) < 40 else "right"
        )
        panel.axes.set_xlim(-0.4, len(names) - 0.6)

    positive = bool(numeric and (frame[x] > 0).all() and frame[x].max() / frame[x].min() >= 8)
    return curves(
        shown,
        x if numeric else "_place",
        color=table.roles.color,
        x_label=x,
        y_label="factor of ‖δ‖ per layer",
        markers=True,
        extra={"theory": ("--", "theory")},
        one=1.0,
        x_logarithmic=positive,
        finish=finish,
        connect=numeric,
    )


def caption(table: FigureTable) -> str:
    """Say what is seen, and what is not."""
    read = (
        "Geometric mean over hidden layers of ‖δ^l‖ / ‖δ^(l+1)‖ at step 0; "
        "the grey line at 1 parts vanishing (below) from exploding (above)."
    )
    theory = "Dashes: theory." if table.frame["theory"].notna().any() else ""
    diverged = int(table.frame["n_diverged"].sum())
    later = f"{diverged} of these runs diverged in training later." if diverged else ""
    none = int(np.isnan(table.frame["mean"]).sum())
    without = f"{none} settings have no factor (fewer than two hidden layers with a positive norm)." if none else ""
    return sentences(read, repeated(table), theory, without or lost(table, "factors"), later, *table.roles.notes)
