"""Adam's first step over width, and the loss over the learning rate, under the standard parametrization and under μP."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.figures.style.look import OKABE_ITO, log_axis
from experiments.figures.style.panels import legend, panels
from experiments.findings.finding import Finding

NAMES = {"standard": "standard", "mup": "μP"}
MARKS = ("o", "s", "^")


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw the steps of layers 2, 3 and the output at the left, losses at the middle and right, with the best rates."""
    drawing, axes = panels(3, 3.4)
    changes, losses, best = tables["changes"], tables["losses"], tables["best"]
    layers, widths = sorted(changes["layer"].unique()), sorted(losses["width"].unique())
    for color, kind in zip(OKABE_ITO, NAMES, strict=False):
        for mark, layer in zip(MARKS, layers, strict=False):
            own = changes[(changes["parametrization"] == kind) & (changes["layer"] == layer)]
            axes[0].plot(own["width"], own["measured"], marker=mark, color=color, ms=5, lw=1.2, gid="measured")
    log_axis(axes[0].xaxis, changes["width"])
    log_axis(axes[0].yaxis, changes["measured"])
    axes[0].set(xlabel="width", ylabel="rms Δz of the first step")
    for panel, kind in zip(axes[1:], NAMES, strict=True):
        for color, width in zip(OKABE_ITO[2:], widths, strict=False):
            own = losses[(losses["parametrization"] == kind) & (losses["width"] == width)].dropna(subset=["measured"])
            panel.plot(own["lr"], own["measured"], "-", marker=".", color=color, lw=1.2, gid="measured")
            rate = best.loc[(best["parametrization"] == kind) & (best["width"] == width), "measured"]
            low = own[own["lr"].isin(rate)]
            panel.plot(low["lr"], low["measured"], "o", color=color, ms=8, mfc="none", gid="measured")
        log_axis(panel.xaxis, losses["lr"])
        log_axis(panel.yaxis, losses["measured"].dropna())
        panel.set(xlabel="learning rate", title=NAMES[kind])
    axes[1].set_ylabel("loss after 30 steps")
    handles = [Line2D([], [], color=color, lw=1.2, label=words) for color, words in zip(OKABE_ITO, NAMES.values(), strict=False)]
    names = [f"layer {layer}" if layer < max(layers) else "output" for layer in layers]
    handles += [Line2D([], [], color="black", marker=mark, ls="none", ms=5, label=words) for mark, words in zip(MARKS, names, strict=False)]
    handles += [Line2D([], [], color=color, lw=1.2, label=f"width {width}") for color, width in zip(OKABE_ITO[2:], widths, strict=False)]
    legend(drawing, measured=False, extra=handles)
    return drawing


def caption(tables: Mapping[str, pd.DataFrame], finding: Finding) -> str:
    """Say what is seen."""
    numbers = tables["numbers"]
    slopes = {kind: ", ".join(f"{slope:.2f}" for slope in numbers.loc[numbers["parametrization"] == kind, "measured"]) for kind in NAMES}
    read = {kind: ", ".join(f"{slope:g}" for slope in finding.values["slopes"][kind]) for kind in NAMES}
    return (
        "Left: by how much Adam's first step changes z in layers 2 and 3 and in the output of tanh nets, geometric mean over seeds; slopes "
        f"are {slopes['standard']} under the standard parametrization (published {read['standard']}) and {slopes['mup']} under μP "
        f"({read['mup']}). Middle and right: mean loss of ReLU nets after 30 steps of Adam; rings are the best learning rates."
    )
