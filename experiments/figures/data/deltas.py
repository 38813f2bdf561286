"""The norm of δ by layer and by step, for figures."""

import pandas as pd

from experiments.figures.data.cutting import joined, keys_of, ordered, shown, thin
from experiments.figures.data.roles import Roles
from experiments.figures.data.table import FigureTable
from experiments.statistics.groups import log_band
from experiments.store.tables import Results

MOST_STEPS = 200
MOST_LAYERS = 12


def _edge_steps(results: Results, which: str) -> pd.DataFrame:
    """Return each run's first or last recorded step, as columns key…, step."""
    keys = keys_of(results.runs)
    return results.layers.groupby(keys, sort=False)["step"].agg("min" if which == "first" else "max").reset_index()


def delta_profile(results: Results, axes: list[str], which: str) -> FigureTable | None:
    """Return the norm of δ by layer, over seeds, at the first or the last recorded step.

    Args:
        results: loaded.
        axes: config columns that vary.
        which: first or last.

    Returns:
        Axes, layer, the columns of `log_band`, theory (geometric mean; empty where there is none); None where nothing
        was measured, and for the last step where it is the first.
    """
    edge = _edge_steps(results, which)
    if not len(edge) or (which == "last" and not (edge["step"] > 0).any()):
        return None
    frame = joined(results, "layers", axes, ["delta_norm", "delta_norm_theory"])
    keys = keys_of(results.runs)
    frame = frame.merge(edge, on=[*keys, "step"])
    frame = frame[frame["layer"] > 0]
    frame, roles = shown(frame, results, axes, within=["layer"], value="delta_norm", what="δ")
    by = [*roles.axes, "layer"]
    table = log_band(frame, by, "delta_norm")
    theory = log_band(frame, by, "delta_norm_theory")
    table["theory"] = theory["mean"]
    steps = tuple(sorted(int(step) for step in frame["step"].unique()))
    return FigureTable(ordered(table, roles, ["layer"]), roles, steps=steps)


def delta_over_steps(results: Results, axes: list[str]) -> FigureTable | None:
    """Return the norm of δ of every layer by training step, over seeds.

    Returns:
        Axes, layer, step, the columns of `log_band`; at most 12 layers of each setting and 200
        steps, evenly spaced; None where nothing was trained.
    """
    frame = joined(results, "layers", axes, ["delta_norm"])
    frame = frame[frame["layer"] > 0]
    if frame["step"].nunique() < 2:
        return None
    frame, roles = shown(frame, results, axes, within=["layer", "step"], value="delta_norm", what="δ", use_color=False)
    steps = thin(sorted(frame["step"].unique()), MOST_STEPS)
    notes = list(roles.notes)
    if len(steps) < frame["step"].nunique():
        notes.append(f"{len(steps)} of {frame['step'].nunique()} recorded steps are drawn, evenly spaced.")
    depths = frame.groupby(roles.axes, dropna=False)["layer"].transform("max") if roles.axes else frame["layer"].max() + 0 * frame["layer"]
    chosen = {int(depth): thin(list(range(1, int(depth) + 1)), MOST_LAYERS) for depth in depths.unique()}
    if any(len(some) < depth for depth, some in chosen.items()):
        notes.append(f"Of more than {MOST_LAYERS} layers {MOST_LAYERS} are drawn, evenly spaced, the first and the last among them.")
    wanted = pd.DataFrame([(depth, layer) for depth, some in chosen.items() for layer in some], columns=["_depth", "layer"])
    last = frame["step"].isin(steps)
    frame = frame.assign(_depth=depths)[last].merge(wanted, on=["_depth", "layer"])
    roles = Roles(roles.color, roles.facets, tuple(notes))
    table = log_band(frame, [*roles.axes, "layer", "step"], "delta_norm")
    return FigureTable(ordered(table, roles, ["layer", "step"]), roles)
