"""The turn of normalized weights per step, by learning rate, decay and layer."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import OKABE_ITO
from experiments.figures.style.panels import legend, measured, panels, published, theory


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw measured over predicted turn, one point a layer, the line where they are equal."""
    numbers = tables["numbers"]
    drawing, cells = panels(numbers["setting"].nunique(), 3.0, sharey=True)
    for axes, (setting, rows) in zip(cells, numbers.groupby("setting"), strict=True):
        for _, one in rows.groupby("run"):
            measured(axes, one, "layer", OKABE_ITO[0])
        first = rows[rows["run"] == rows["run"].iloc[0]]
        theory(axes, first, "layer")
        published(axes, first, "layer")
        axes.set_title(f"η, λ = {setting}")
        axes.set(xlabel="layer", xlim=(0.5, 2.5), ylim=(0, 1.15 * float(numbers["measured"].max())))
        axes.set_xticks([1, 2])
    cells[0].set_ylabel("‖ΔW‖/‖W‖ per step")
    legend(drawing, theory="√(2ηλ)", published="published")
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        f"Root mean square of ‖ΔW‖/‖W‖ over the last half of {tables['numbers']['steps'].max()} steps of SGD with weight decay, in the "
        "two hidden layers of a ReLU net with batch normalization, one net a line. The first and the last panel but one differ in λ/η, "
        "not in ηλ."
    )
