"""The variance of ln of δ's size, layer by layer through a bottleneck."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import GREY, integer_axis
from experiments.figures.style.named_rows import named_rows
from experiments.figures.style.panels import legend, measured, panels, theory
from experiments.findings.finding import Finding


def draw(tables: Mapping[str, pd.DataFrame], finding: Finding) -> Figure:
    """Draw the variance of each layer's factor, measured, exact and to leading order."""
    layers = tables["layers"]
    drawing, (axes, whole) = panels(2, 3.4)
    measured(axes, layers, "layer")
    theory(axes, layers, "layer")
    axes.plot(layers["layer"], layers["leading"], ":", color=GREY, lw=1.4, gid="leading")
    integer_axis(axes.xaxis)
    axes.set(xlabel="layer l", ylabel="variance of ln(‖δ^l‖²/‖δ^(l+1)‖²)", ylim=(0, None))
    named_rows(whole, tables["numbers"], "what")
    whole.axvline(finding.values["leading"], color=GREY, ls=":", lw=1.4)
    whole.set(xlabel="variance", xlim=(0, None))
    extra = [Line2D([], [], color=GREY, ls=":", lw=1.4, label="leading order, 5/n")]
    legend(drawing, band="95 %", theory="exact law", published="published", extra=extra)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    whole = tables["numbers"].iloc[0]
    return (
        f"Left: variance over {whole['n']:.0f} untrained ReLU nets of ln of a layer's factor of ‖δ‖², one example; the sixth layer has "
        f"10 units, the others 60. Right: of all layers together {whole['measured']:.3g} (exact {whole['theory']:.3g}), of which the "
        "bottleneck has half; the dotted line is the leading order of the whole. Last row: 20 layers of 100 units of "
        "which dropout keeps half."
    )
