"""How often clipping acts."""

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.data import tables
from experiments.figures.style.facets import Panel, curves, repeated, sentences
from experiments.store.tables import Results

ORDER = 60


def table(results: Results, axes: list[str]) -> pd.DataFrame | None:
    """Return the share of clipped steps, in windows of steps."""
    return tables.clip_rate(results, axes)


def draw(table: pd.DataFrame) -> Figure:
    """Draw one curve per setting."""

    def finish(panel: Panel) -> None:
        panel.axes.set_ylim(-0.04, 1.04)

    return curves(
        table,
        "step",
        color=table.attrs["roles"].color,
        x_label="training step",
        y_label="share of steps clipped",
        logarithmic=False,
        markers=True,
        finish=finish,
    )


def caption(table: pd.DataFrame) -> str:
    """Say what is seen, and what is not."""
    window = table.attrs["window"]
    read = (
        f"Share of steps whose gradient was clipped, in windows of {window} steps." if window > 1 else "Whether the gradient was clipped."
    )
    gone = int((table["n"] == 0).sum())
    lost = f"{gone} points have no finite gradient left (crosses at the upper border)." if gone else ""
    return sentences(read, repeated(table, geometric=False), lost, *table.attrs["roles"].notes)
