"""What activations look like, for figures: each as the runs had it, the others of the catalogue with their defaults."""

import numpy as np
import pandas as pd

from bpcore.activations import Activation
from experiments.config.building import built
from experiments.config.files import catalogue, choice
from experiments.config.shape import listed
from experiments.figures.data.cutting import thin
from experiments.figures.data.table import FigureTable
from experiments.store.tables import Results
from experiments.theory.phase import label_of, node_of

MOST_SETTINGS = 12
"""Of the sweep's activations and their parameters."""


def activation_shapes(results: Results) -> FigureTable:
    """Return every activation of the catalogue and its derivative over z, those of these results first.

    Args:
        results: loaded; an activation that was swept over its parameters is there once for each of their values.

    Returns:
        Columns activation (its name, and its parameters where it has any), used (by a run of these results), z, value, prime, low,
        high (the range of the derivative) and range (written as an interval); `left_out` names settings of the sweep beyond 12.
    """
    names = catalogue("activation")
    runs = results.runs[results.runs["activation"].isin(names)]
    axes = [column for column in runs.columns if column == "activation" or column.startswith("activation.")]
    used = [node_of("activation", row) for _, row in runs[axes].drop_duplicates().iterrows()]
    by_layer = sorted({name for text in results.runs["activation"].unique() for name in listed(str(text)) or []})
    used += [node for node in (choice("activation", name) for name in by_layer) if node not in used]
    used.sort(key=lambda node: (node["name"], *(value for value in node.values() if isinstance(value, (int, float)))))
    shown = thin(used, MOST_SETTINGS)
    others = [choice("activation", name) for name in sorted(names) if name not in {node["name"] for node in used}]
    z = np.linspace(-5.0, 5.0, 501)
    parts = []
    for i, node in enumerate([*shown, *others]):
        activation = built(Activation, node)
        bounds = activation.bounds
        columns = {
            "activation": label_of(node), "used": i < len(shown), "z": z, "value": activation.value(z), "prime": activation.prime(z),
        }  # fmt: skip
        parts.append(pd.DataFrame({**columns, "low": bounds.low, "high": bounds.high, "range": str(bounds)}))
    left_out = tuple(label_of(node) for node in used if node not in shown)
    return FigureTable(pd.concat(parts, ignore_index=True), left_out=left_out)
