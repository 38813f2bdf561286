"""What happens over training steps, for figures: columns of the steps table, and how clipping acts."""

import math
from dataclasses import replace

import numpy as np

from experiments.figures.data.cutting import joined, keys_of, ordered, shown, thin
from experiments.figures.data.roles import Roles, levels
from experiments.figures.data.table import FigureTable
from experiments.statistics.groups import linear_band, log_band
from experiments.store.tables import Results

MOST_STEPS = 200
MOST_WINDOWS = 20


def course(results: Results, axes: list[str], column: str, logarithmic: bool, beside: str = "") -> FigureTable | None:
    """Return a column of the steps table by training step, over seeds.

    Args:
        results: loaded.
        axes: config columns that vary.
        column: of the steps table.
        logarithmic: whether the mean is geometric.
        beside: another column of the steps table, or none.

    Returns:
        Axes, step, the columns of `log_band`, with `beside` also `beside_mean` of that column; None where the column is
        empty or has one step.
    """
    what, value = f"the {column}", f"_{column}"  # an axis may have the column's name: loss
    steps_of = replace(results, steps=results.steps.rename(columns={column: value}))
    frame = joined(steps_of, "steps", axes, [value, beside] if beside else [value])
    if frame["step"].nunique() < 2 or not frame[value].notna().any():
        return None
    frame, roles = shown(frame, results, axes, within=["step"], value=value, what=what)
    steps = thin(sorted(frame["step"].unique()), MOST_STEPS)
    if len(steps) < frame["step"].nunique():
        note = f"{len(steps)} of {frame['step'].nunique()} recorded steps are drawn, evenly spaced."
        roles = Roles(roles.color, roles.facets, (*roles.notes, note))
        # the row in which a run diverged stays, whatever its step
        frame = frame[frame["step"].isin(steps) | ~np.isfinite(frame[value])]
    band, by = log_band if logarithmic else linear_band, [*roles.axes, "step"]
    table = band(frame, by, value)
    if beside:
        table = table.merge(band(frame, by, beside)[[*by, "mean"]].rename(columns={"mean": "beside_mean"}), on=by, how="left")
    return FigureTable(ordered(table, roles, ["step"]), roles)


def _clipping_runs(results: Results) -> Results | None:
    runs = results.runs[results.runs["clip"] != "none"]
    keys = keys_of(runs)
    if not len(runs):
        return None
    parts = {name: getattr(results, name).merge(runs[keys], on=keys) for name in ("layers", "steps", "histograms")}
    return Results(runs=runs, **parts, path=results.path, provenance=results.provenance)


def clip_rate(results: Results, axes: list[str]) -> FigureTable | None:
    """Return the share of steps whose gradient was clipped, in up to 20 windows of steps, over seeds.

    Returns:
        Axes, step (the middle of the window), the columns of `log_band`; None where nothing clips.
    """
    clipping = _clipping_runs(results)
    if clipping is None:
        return None
    axes = [axis for axis in axes if len(levels(clipping.runs[axis])) > 1]
    frame = joined(clipping, "steps", axes, ["clipped", "grad_norm"])
    frame["clipped"] = frame["clipped"].where(np.isfinite(frame["grad_norm"]))
    if not frame["clipped"].notna().any():
        return None
    width = max(1, math.ceil((frame["step"].max() + 1) / MOST_WINDOWS))
    frame["step"] = frame["step"] // width * width + (width - 1) / 2
    frame = frame.groupby([*axes, "seed", "step"], dropna=False, sort=False)["clipped"].mean().reset_index()
    frame, roles = shown(frame, clipping, axes, within=["step"], value="clipped", what="the clip rate")
    table = linear_band(frame, [*roles.axes, "step"], "clipped")
    return FigureTable(ordered(table, roles, ["step"]), roles, window=width)


def gradient_norms(results: Results, axes: list[str]) -> FigureTable | None:
    """Return the norm of the gradient before and after clipping by training step, over seeds.

    Returns:
        Axes, step, the columns of `log_band` before clipping, `clipped_mean` after; None where nothing clips.
    """
    clipping = _clipping_runs(results)
    if clipping is None:
        return None
    axes = [axis for axis in axes if len(levels(clipping.runs[axis])) > 1]
    before = course(clipping, axes, "grad_norm", logarithmic=True)
    if before is None:
        return None
    roles = before.roles
    frame = joined(clipping, "steps", roles.axes, ["grad_norm_clipped"])
    after = log_band(frame, [*roles.axes, "step"], "grad_norm_clipped")[[*roles.axes, "step", "mean"]]
    table = before.frame.merge(after.rename(columns={"mean": "clipped_mean"}), on=[*roles.axes, "step"], how="left")
    return FigureTable(table, roles)
