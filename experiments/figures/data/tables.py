"""What each figure shows, as a table: frames in, frames out; nothing here draws.

A table carries its `Roles` in `attrs["roles"]`: which axis is colour, which are panels. A non-finite value or an exact
zero has no place on a logarithmic axis; both are counted (`n_not_finite`, `n_zero`) so that figures can mark them.
"""

import math
from typing import Any

import numpy as np
import pandas as pd

from experiments.config.building import build
from experiments.config.files import catalogue, choice
from experiments.figures.data.roles import Roles, assign, count, counts_up, independent, inert, levels, listing
from experiments.statistics.groups import linear_band, log_band
from experiments.store.tables import Results
from experiments.text.numbers import label

MOST_STEPS = 200
MOST_LAYERS = 12
MOST_WINDOWS = 20
MOST_STRIPS = 6


def keys_of(runs: pd.DataFrame) -> list[str]:
    """Return the columns that identify a run: its id, and its folder where several are compared."""
    return ["folder", "run_id"] if "folder" in runs.columns else ["run_id"]


def joined(results: Results, name: str, axes: list[str], columns: list[str]) -> pd.DataFrame:
    """Return columns of a table beside the axes and the seed of their run, numbers as floats.

    Args:
        results: loaded.
        name: layers, steps or histograms.
        axes: config columns.
        columns: measured columns of that table.

    Returns:
        One row a row of the table.
    """
    frame: pd.DataFrame = getattr(results, name)
    keys = keys_of(results.runs)
    own = [column for column in ("step", "layer", "quantity") if column in frame.columns]
    right = results.runs[list(dict.fromkeys([*keys, *axes, "seed"]))]
    merged = frame[[*keys, *own, *columns]].merge(right, on=keys, how="inner")
    for column in columns:
        merged[column] = merged[column].astype("float64")
    return _plain(merged, axes)


def _plain(frame: pd.DataFrame, axes: list[str]) -> pd.DataFrame:
    """Give axes dtypes that group and compare plainly: nullable numbers become floats."""
    for axis in axes:
        if pd.api.types.is_bool_dtype(frame[axis]):
            frame[axis] = frame[axis].astype("str")
        elif isinstance(frame[axis].dtype, pd.Int64Dtype):
            frame[axis] = frame[axis].astype("float64" if frame[axis].isna().any() else "int64")
        elif frame[axis].isna().all():
            frame[axis] = frame[axis].astype("float64")
    return frame


def shown(
    frame: pd.DataFrame,
    results: Results,
    axes: list[str],
    *,
    within: list[str],
    value: str,
    what: str,
    use_color: bool = True,
    most_panels: int = 12,
) -> tuple[pd.DataFrame, Roles]:
    """Keep what a figure has room for, and choose the role of every axis.

    Args:
        frame: rows with axes, seed, `within` and `value`.
        results: that it comes from.
        axes: config columns that vary.
        within: what else identifies a row: layer, step.
        value: the column that is shown.
        what: its name in a sentence.
        use_color: whether colour is free for an axis.
        most_panels: beyond which levels are left out.

    Returns:
        The rows that are shown, and the roles with their notes.
    """
    notes = []
    runs = _plain(results.runs.copy(), axes)
    kept, tied = independent(runs, axes)
    if tied:
        pairs = ", ".join(f"{axis} (with {partner})" for axis, partner in tied.items())
        notes.append(f"Not shown apart, since they vary together with another axis: {pairs}.")
    without = inert(frame, kept, ["seed", *within], value)
    if without:
        which = f"{listing(without)} {'change' if len(without) > 1 else 'changes'}"
        notes.append(f"{which} nothing here: {what} is the same to the last bit, and drawn once.")
        kept = [axis for axis in kept if axis not in without]
        frame = frame.drop_duplicates([*kept, "seed", *within])
    present = runs.merge(frame[kept].drop_duplicates(), on=kept) if kept else runs
    with np.errstate(all="ignore"):
        present = present.assign(_rank=np.log(present["delta_factor"].astype("float64")))
    roles, settings = assign(present, kept, use_color=use_color, most_panels=most_panels, rank="_rank")
    if kept:
        frame = frame.merge(settings, on=kept, how="inner")
    return frame, Roles(roles.color, roles.facets, (*notes, *roles.notes))


def _with(table: pd.DataFrame, roles: Roles, **more: Any) -> pd.DataFrame:
    ordered = table.reset_index(drop=True)
    ordered.attrs.clear()
    ordered.attrs.update(roles=roles, **more)
    return ordered


def _sorted(table: pd.DataFrame, roles: Roles, within: list[str]) -> pd.DataFrame:
    columns: Any = {axis: _order(table[axis]) for axis in roles.axes} | {name: table[name] for name in within}
    ranks = pd.DataFrame(columns, index=table.index)
    return table.loc[ranks.sort_values(list(ranks.columns), kind="stable").index] if len(ranks.columns) else table


def _order(values: "pd.Series[Any]") -> "pd.Series[int]":
    places = {label(level): i for i, level in enumerate(levels(values))}
    return values.map(lambda value: places[label(value)])


def _edge_steps(results: Results, which: str) -> pd.DataFrame:
    """Return each run's first or last recorded step, as columns key…, step."""
    keys = keys_of(results.runs)
    return results.layers.groupby(keys, sort=False)["step"].agg("min" if which == "first" else "max").reset_index()


def delta_profile(results: Results, axes: list[str], which: str) -> pd.DataFrame | None:
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
    steps = sorted(int(step) for step in frame["step"].unique())
    return _with(_sorted(table, roles, ["layer"]), roles, steps=steps, seeds=int(frame["seed"].nunique()))


def thin(values: list[Any], most: int) -> list[Any]:
    """Return at most `most` of some sorted values, evenly spaced, both ends among them."""
    if len(values) <= most:
        return values
    return [values[i] for i in sorted({round(k * (len(values) - 1) / (most - 1)) for k in range(most)})]


def delta_over_steps(results: Results, axes: list[str]) -> pd.DataFrame | None:
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
    return _with(_sorted(table, roles, ["layer", "step"]), roles, seeds=int(frame["seed"].nunique()))


def factor_by_axis(results: Results, axes: list[str]) -> pd.DataFrame | None:
    """Return the per-layer factor along the axis with the most levels, over seeds.

    Returns:
        Axes, the columns of `log_band`, theory, n_diverged; `attrs["x"]` names the axis along which it is drawn.
        None where no axis changes the factor, or no run has one.
    """
    frame = _factors(results, axes)
    if frame is None:
        return None
    kept, roles = shown(frame, results, axes, within=[], value="delta_factor", what="the factor", most_panels=10**6)
    if not roles.axes:
        return None
    x = max(roles.axes, key=lambda axis: (counts_up(kept, axis), count(kept, axis), -roles.axes.index(axis)))
    rest = [axis for axis in roles.axes if axis != x]
    with np.errstate(all="ignore"):
        ranked = kept.assign(_rank=np.log(kept["delta_factor"]))
    chosen, settings = assign(ranked, rest, rank="_rank")
    frame = kept.merge(settings, on=rest) if rest else kept
    roles = Roles(chosen.color, chosen.facets, (*roles.notes, *chosen.notes))
    return _with(_factor_table(frame, [*roles.axes, x], Roles(roles.color, (*roles.facets, x))), roles, x=x)


def _factors(results: Results, axes: list[str]) -> pd.DataFrame | None:
    columns = ["delta_factor", "delta_factor_theory", "status"]
    frame = _plain(results.runs[[*dict.fromkeys([*axes, "seed"]), *columns]].copy(), axes)
    frame = frame[frame["status"] != "failed"]
    for column in columns[:2]:
        frame[column] = frame[column].astype("float64")
    if not axes or not np.isfinite(frame["delta_factor"]).any():
        return None
    return frame


def _factor_table(frame: pd.DataFrame, by: list[str], order: Roles) -> pd.DataFrame:
    table = log_band(frame, by, "delta_factor")
    table["theory"] = log_band(frame, by, "delta_factor_theory")["mean"]
    diverged = frame.assign(n_diverged=(frame["status"] == "diverged").astype("int64"))
    table["n_diverged"] = diverged.groupby(by, dropna=False, sort=False, observed=True)["n_diverged"].sum().to_numpy()
    return _sorted(table, order, [])


def factor_map(results: Results, axes: list[str]) -> pd.DataFrame | None:
    """Return the per-layer factor over two axes, over seeds.

    Returns:
        Axes, the columns of `log_band`, theory, n_diverged; `attrs` name the axes `x` and `y`. None with fewer than
        two axes that change the factor.
    """
    frame = _factors(results, axes)
    if frame is None:
        return None
    frame, roles = shown(frame, results, axes, within=[], value="delta_factor", what="the factor", use_color=False, most_panels=10**6)
    if len(roles.axes) < 2:
        return None
    measured = frame
    pair = sorted(roles.axes, key=lambda axis: -count(measured, axis))[:2]
    x, y = sorted(pair, key=lambda axis: not counts_up(measured, axis))
    rest = [axis for axis in roles.axes if axis not in (x, y)]
    with np.errstate(all="ignore"):
        ranked = frame.assign(_rank=np.log(frame["delta_factor"]))
    chosen, settings = assign(ranked, rest, use_color=False, rank="_rank")
    if rest:
        frame = frame.merge(settings, on=rest)
    final = Roles(None, chosen.facets, (*roles.notes, *chosen.notes))
    return _with(_factor_table(frame, [*final.axes, y, x], Roles(None, (*final.facets, y, x))), final, x=x, y=y)


def curves(results: Results, axes: list[str], column: str, logarithmic: bool) -> pd.DataFrame | None:
    """Return a column of the steps table by training step, over seeds.

    Args:
        results: loaded.
        axes: config columns that vary.
        column: of the steps table.
        logarithmic: whether the mean is geometric.

    Returns:
        Axes, step, the columns of `log_band`; None where the column is empty or has one step.
    """
    frame = joined(results, "steps", axes, [column])
    if frame["step"].nunique() < 2 or not frame[column].notna().any():
        return None
    frame, roles = shown(frame, results, axes, within=["step"], value=column, what=f"the {column}")
    steps = thin(sorted(frame["step"].unique()), MOST_STEPS)
    if len(steps) < frame["step"].nunique():
        note = f"{len(steps)} of {frame['step'].nunique()} recorded steps are drawn, evenly spaced."
        roles = Roles(roles.color, roles.facets, (*roles.notes, note))
        # the row in which a run diverged stays, whatever its step
        frame = frame[frame["step"].isin(steps) | ~np.isfinite(frame[column])]
    table = (log_band if logarithmic else linear_band)(frame, [*roles.axes, "step"], column)
    return _with(_sorted(table, roles, ["step"]), roles, seeds=int(frame["seed"].nunique()))


def _clipping_runs(results: Results) -> Results | None:
    runs = results.runs[results.runs["clip"] != "none"]
    keys = keys_of(runs)
    if not len(runs):
        return None
    parts = {name: getattr(results, name).merge(runs[keys], on=keys) for name in ("layers", "steps", "histograms")}
    return Results(runs=runs, **parts, path=results.path, provenance=results.provenance)


def clip_rate(results: Results, axes: list[str]) -> pd.DataFrame | None:
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
    return _with(_sorted(table, roles, ["step"]), roles, window=width)


def gradient_norms(results: Results, axes: list[str]) -> pd.DataFrame | None:
    """Return the norm of the gradient before and after clipping by training step, over seeds.

    Returns:
        Axes, step, the columns of `log_band` before clipping, `clipped_mean` after; None where nothing clips.
    """
    clipping = _clipping_runs(results)
    if clipping is None:
        return None
    axes = [axis for axis in axes if len(levels(clipping.runs[axis])) > 1]
    before = curves(clipping, axes, "grad_norm", logarithmic=True)
    if before is None:
        return None
    roles: Roles = before.attrs["roles"]
    frame = joined(clipping, "steps", roles.axes, ["grad_norm_clipped"])
    after = log_band(frame, [*roles.axes, "step"], "grad_norm_clipped")[[*roles.axes, "step", "mean"]]
    table = before.merge(after.rename(columns={"mean": "clipped_mean"}), on=[*roles.axes, "step"], how="left")
    return _with(table, roles, seeds=before.attrs["seeds"])


def distributions(results: Results, axes: list[str], quantity: str) -> pd.DataFrame | None:
    """Return the share of entries per bin and layer, all seeds together, at the first and the last recorded step.

    Args:
        results: loaded.
        axes: config columns that vary.
        quantity: z, a or log10_abs_delta.

    Returns:
        Axes, when (first or last), layer, bin_low, bin_high, count, share (of the layer's entries); None where empty.
    """
    frame = results.histograms[results.histograms["quantity"] == quantity]
    if not len(frame):
        return None
    frame = joined(results, "histograms", axes, ["bin_low", "bin_high", "count"])
    frame = frame[frame["quantity"] == quantity]
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
    return _with(_sorted(table, roles, ["when", "layer", "bin_low"]), roles)


def activation_shapes(results: Results) -> pd.DataFrame:
    """Return every activation of the catalogue and its derivative over z, those of these results first.

    Returns:
        Columns activation, used (by a run of these results), z, value, prime, low, high (the range of the
        derivative) and range (written as an interval).
    """
    used = list(dict.fromkeys(results.runs["activation"]))
    names = sorted(catalogue("activation"), key=lambda name: (name not in used, name))
    z = np.linspace(-5.0, 5.0, 501)
    parts = []
    for name in names:
        activation = build(choice("activation", name))
        bounds = activation.bounds
        columns = {"activation": name, "used": name in used, "z": z, "value": activation.value(z), "prime": activation.prime(z)}
        parts.append(pd.DataFrame({**columns, "low": bounds.low, "high": bounds.high, "range": str(bounds)}))
    return pd.concat(parts, ignore_index=True)
