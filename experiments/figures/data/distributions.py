"""How the entries of a layer are distributed, for figures."""

import numpy as np

from experiments.figures.data.cutting import joined, keys_of, ordered, shown
from experiments.figures.data.table import FigureTable
from experiments.store.tables import Results

MOST_STRIPS = 6


def distributions(results: Results, axes: list[str], quantity: str) -> FigureTable | None:
    """Return the share of entries per bin and layer, all seeds together, at the first and the last recorded step.

    Args:
        results: loaded.
        axes: config columns that vary.
        quantity: z, a or log10_abs_delta.

    Returns:
        Axes, when (first or last), layer, bin_low, bin_high, count, share (of the layer's entries); None where empty.
    """
    frame = joined(results, "histograms", axes, ["bin_low", "bin_high", "count"], quantity)
    if not len(frame):
        return None
    keys = keys_of(results.runs)
    ends = frame.groupby(keys)["step"].agg(["min", "max"]).reset_index()
    frame = frame.merge(ends, on=keys)
    frame["when"] = np.where(frame["step"] == frame["min"], "first", "last")
    frame = frame.drop(columns=["min", "max"])
    settings, roles = shown(
        frame, results, axes, within=["when", "layer", "bin_low"], value="count", what="the distribution", use_color=False,
        most_panels=MOST_STRIPS,
    )  # fmt: skip
    by = [*roles.axes, "when", "layer"]
    table = settings.groupby([*by, "bin_low", "bin_high"], dropna=False, sort=False)["count"].sum().reset_index()
    table["share"] = table["count"] / table.groupby(by, dropna=False, sort=False)["count"].transform("sum")
    return FigureTable(ordered(table, roles, ["when", "layer", "bin_low"]), roles)
