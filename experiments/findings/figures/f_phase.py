"""The phase diagram: measured χ₁ over σ_w² and σ_b², the published edge of chaos over it."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import DIVERGING
from experiments.figures.style.panels import around, heatmap, legend, measured, note, panels, published, theory


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the map at the left, the three published points at the right."""
    cells, edge, numbers = tables["diagram"], tables["edge"], tables["numbers"]
    drawing, (left, right) = panels(2, 4.0)
    heatmap(
        left, cells, "sigma_w2", "sigma_b2", "measured", label="measured χ₁", norm=around(cells["measured"], 1.0), colormap=DIVERGING,
        contour=edge,
    )  # fmt: skip
    left.set(xlabel="σ_w²", ylabel="σ_b²")
    note(left, 0.04, 0.93, "ordered: δ vanishes", xycoords="axes fraction")
    note(left, 0.96, 0.05, "chaotic: δ explodes", xycoords="axes fraction", ha="right")
    measured(right, numbers, "sigma_w2")
    theory(right, numbers, "sigma_w2")
    published(right, numbers, "sigma_w2")
    right.set(xlabel=f"σ_w² at σ_b² = {numbers['sigma_b2'].iloc[0]:.2g}", ylabel="χ₁, factor of ‖δ‖² per layer")
    legend(drawing, band="95 %", theory="mean-field theory; at the left the edge of chaos, χ₁ = 1", published="published")
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Factor of ‖δ‖² per layer in wide tanh nets before training, from the sixth hidden layer to the last, toward the input. Left: "
        "one net a cell; blue vanishes, red explodes, white keeps; "
        "dashed: the published edge of chaos. Right: geometric mean over seeds with its "
        "95 % interval (narrower than the points where it cannot be seen), at the three published points."
    )
