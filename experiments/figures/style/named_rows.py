"""Rows whose vertical places are words: one a setting, with its measured, predicted and published number."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from experiments.figures.style.look import INK, OKABE_ITO
from experiments.figures.style.panels import PUBLISHED


def named_rows(
    axes: Axes, rows: pd.DataFrame, column: str, order: Sequence[str] = (), color: Any = OKABE_ITO[0], shift: float = 0.0
) -> None:
    """Draw one row a setting, from top to bottom: measured with its bar, theory as a tick, what was published as an open diamond.

    Args:
        axes: of the panel; its vertical axis gets the words.
        rows: with `column` and measured, low and high; theory and published where there are such columns.
        column: whose words name the rows.
        order: of the words; by default as they stand in `rows`.
        color: of the points.
        shift: of the points against the middle of their row, upwards.
    """
    words = list(order or dict.fromkeys(rows[column]))
    places = {word: len(words) - 1 - i for i, word in enumerate(words)}
    y = np.array([places[word] for word in rows[column]], dtype=float) + shift
    reach = np.maximum([rows["measured"] - rows["low"], rows["high"] - rows["measured"]], 0)
    axes.errorbar(rows["measured"], y, xerr=reach, fmt="o", color=color, ms=5, capsize=3, lw=1.4, gid="measured")
    if "theory" in rows:
        axes.plot(rows["theory"], y, "|", color=INK, ms=13, mew=1.4, gid="theory")
    if "published" in rows:
        axes.plot(rows["published"], y, gid="published", **PUBLISHED | {"mfc": "none", "ms": 9})
    axes.set_yticks(list(places.values()), words)
    axes.set_ylim(-0.5, len(words) - 0.5)


def point(color: Any, label: str) -> Line2D:
    """Return the legend's handle of measured points."""
    return Line2D([], [], color=color, marker="o", ls="none", ms=5, label=label)


def tick(label: str = "theory") -> Line2D:
    """Return the legend's handle of theory's ticks."""
    return Line2D([], [], color=INK, marker="|", ls="none", ms=11, mew=1.4, label=label)
