"""The largest learning rate that trains, under plain descent."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from experiments.figures.style.warmup import largest_rates


def draw(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw one row a setting: the rates at the left, their ratio beside the published at the right."""
    return largest_rates(tables["numbers"])


def caption(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say what is seen."""
    return (
        "The largest learning rate of a grid of steps of 2.15 at which at least two of three nets of three hidden layers learn a "
        "hundred digits by heart in 300 steps. The popular claim is the grey line, 1."
    )
