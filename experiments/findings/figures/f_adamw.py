"""What weights without a gradient keep of their norm, by λ."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.look import OKABE_ITO
from experiments.figures.style.named_rows import named_rows, point, tick
from experiments.figures.style.panels import legend, panels


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one row a kind of decay and λ."""
    numbers = tables["numbers"]
    numbers = numbers.assign(word=numbers["what"] + ", λ = " + numbers["decay"].map("{:g}".format))
    drawing, (axes,) = panels(1, 3.6, 7.2)
    named_rows(axes, numbers, "word")
    axes.set(xlabel="‖W‖ after ÷ before, of weights without a gradient", xlim=(0, 1.05))
    legend(drawing, measured=False, published="published", extra=[point(OKABE_ITO[0], "measured"), tick("(1 − ηλ)^T")])
    return drawing


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "Norm of the first layer's weights at pixels that are constant, after training over before: mean over seeds. Adam with L2 (η = "
        ".001, 20 steps) takes the same from them at every λ, since its steps do not know the size of a gradient; AdamW and descent (η = "
        ".01, 100 steps) take ηλ of them in every step."
    )
