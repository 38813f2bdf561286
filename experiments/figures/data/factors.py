"""The factor per layer over swept axes, for figures."""

import numpy as np
import pandas as pd

from experiments.figures.data.cutting import ordered, plain, shown
from experiments.figures.data.roles import Roles, assign, count, counts_up
from experiments.figures.data.table import FigureTable
from experiments.statistics.groups import log_band
from experiments.store.tables import Results


def factor_by_axis(results: Results, axes: list[str]) -> FigureTable | None:
    """Return the per-layer factor along the axis with the most levels, over seeds.

    Returns:
        Axes, the columns of `log_band`, theory, n_diverged; `x` names the axis along which it is drawn.
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
    return FigureTable(_factor_table(frame, [*roles.axes, x], Roles(roles.color, (*roles.facets, x))), roles, x=x)


def factor_map(results: Results, axes: list[str]) -> FigureTable | None:
    """Return the per-layer factor over two axes, over seeds.

    Returns:
        Axes, the columns of `log_band`, theory, n_diverged; `x` and `y` name the axes. None with fewer than
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
    return FigureTable(_factor_table(frame, [*final.axes, y, x], Roles(None, (*final.facets, y, x))), final, x=x, y=y)


def _factors(results: Results, axes: list[str]) -> pd.DataFrame | None:
    columns = ["delta_factor", "delta_factor_theory", "status"]
    frame = plain(results.runs[[*dict.fromkeys([*axes, "seed"]), *columns]].copy(), axes)
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
    return ordered(table, order, [])
