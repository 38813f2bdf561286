"""The size of δ below the output, down to the limits of the floating-point formats."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import GREY, OKABE_ITO, mark_zero
from experiments.figures.style.panels import legend, panels

POWERS = {
    name: tuple(float(np.log10(float(least))) for least in (limits.smallest_normal, limits.smallest_subnormal))
    for name, limits in (("single", np.finfo(np.float32)), ("double", np.finfo(np.float64)))
}
"""log10 of the smallest normal and the smallest subnormal number."""


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw log10 of the root mean square of δ against layers from the output, one panel a format."""
    profile, numbers = tables["profile"], tables["numbers"]
    drawing, cells = panels(2, 3.8)
    for i, (axes, (name, powers)) in enumerate(zip(cells, POWERS.items(), strict=True)):
        rows = profile[profile["format"] == name]
        alive = rows[rows["delta_rms"] > 0].groupby("below")["delta_rms"].agg(lambda values: np.log10(values).mean())
        axes.plot(alive.index + 1, alive.to_numpy(), "-", color=OKABE_ITO[i], lw=2, gid="measured")
        for word, power in zip(("smallest normal", "smallest subnormal"), powers, strict=True):
            axes.axhline(power, color=GREY, lw=1)
            axes.annotate(
                word, (1, power), (2, 3 if word == "smallest normal" else -10), textcoords="offset points", fontsize=8, color=GREY
            )
        for row in numbers[numbers["format"] == name].to_dict("records"):
            axes.axvline(row["theory"], color="#333333", ls="--", lw=1.2, gid="theory")
        gone = rows.groupby("below")["zero"].min()
        gone = gone[gone >= 1]
        if len(gone):
            mark_zero(axes, gone.index[:: max(1, len(gone) // 6)] + 1, OKABE_ITO[i])
        axes.set_ylim(bottom=1.09 * powers[1])
        axes.set_title(f"{name} precision")
        axes.set_xlabel("layers from the output")
    cells[0].set_ylabel("log₁₀ of the root mean square of δ")
    legend(drawing, theory="predicted: subnormal, zero")
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Root mean square of δ over units and examples in deep sigmoid nets with σ_w = 1 before training, geometric "
        "mean over seeds, against the number of "
        "layers from the output. Open circles at the lower border: layers where every entry is exactly 0. Dashed: "
        "where the formula puts the "
        "first subnormal and the first zero layer."
    )
