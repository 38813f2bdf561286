"""How often clipping acts."""

from matplotlib.figure import Figure

from experiments.figures.data import courses
from experiments.figures.data.table import FigureTable
from experiments.figures.style.curves import curves
from experiments.figures.style.facets import Panel
from experiments.figures.style.words import repeated, sentences
from experiments.store.tables import Results

ORDER = 60


def table(results: Results, axes: list[str]) -> FigureTable | None:
    """Return the share of clipped steps, in windows of steps."""
    return courses.clip_rate(results, axes)


def draw(table: FigureTable) -> Figure:
    """Draw one curve per setting."""

    def finish(panel: Panel) -> None:
        panel.axes.set_ylim(-0.04, 1.04)

    return curves(
        table,
        "step",
        color=table.roles.color,
        x_label="training step",
        y_label="share of steps clipped",
        logarithmic=False,
        markers=True,
        finish=finish,
    )


def caption(table: FigureTable) -> str:
    """Say what is seen, and what is not."""
    window = table.window
    read = (
        f"Share of steps whose gradient was clipped, in windows of {window} steps." if window > 1 else "Whether the gradient was clipped."
    )
    gone = int((table.frame["n"] == 0).sum())
    lost = f"{gone} points have no finite gradient left (crosses at the upper border)." if gone else ""
    return sentences(read, repeated(table, geometric=False), lost, *table.roles.notes)
