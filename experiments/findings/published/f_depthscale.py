"""How deep a tanh net can be trained, over σ_w² and depth, against six correlation lengths."""

import math
from collections.abc import Mapping
from functools import lru_cache

import pandas as pd

from bpcore.activations import tanh
from bpcore.theory import depth_scales
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding, not_testable
from experiments.findings.frames import groups
from experiments.store.tables import Results

CONTOUR_POINTS = 17


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare which cells of the map train with the bound 6ξ_c.

    Args:
        results: of the sweep `map`.
        finding: with its thresholds, `values.depth_scale_multiple` and `values.bound`.

    Returns:
        The estimate; its numbers are the share of clear cells that are as predicted.
    """
    multiple = float(finding.values["depth_scale_multiple"])
    cells = _cells(results["map"].runs, multiple)
    clear_of = float(finding.threshold("clear_of"))
    cells["clear"] = (cells["depth"] * clear_of <= cells["bound"]) | (cells["depth"] >= clear_of * cells["bound"])
    cells["expected"] = cells["depth"] < cells["bound"]
    cells["trained"] = cells["measured"] >= finding.threshold("trained_from")
    cells["wrong"] = cells["clear"] & (cells["trained"] != cells["expected"])
    clear = cells[cells["clear"]]
    below, above = int(clear["expected"].sum()), int((~clear["expected"]).sum())
    if not below or not above:
        return not_testable("The map has no clear cells on one of the sides of the bound.", len(results["map"].runs))
    right = 1 - len(clear[clear["wrong"]]) / len(clear)
    wrong = ", ".join(f"depth {cell.depth:.0f} at σ_w² = {cell.sigma_w2:.3g}" for cell in clear[clear["wrong"]].itertuples())
    reason = (
        f"{len(clear) - int(clear['wrong'].sum())} of {len(clear)} cells clear of the bound are as predicted ({below} that should train, "
        f"{above} that should not)" + (f"; not so: {wrong}." if wrong else ".")
    )
    return Estimate(
        finding.verdict([bounded("share of clear cells as predicted", right, least=finding.threshold("cells_right"))]),
        reason,
        quantity="share of the cells clear of 6ξ_c that train, or do not, as it says",
        theory=1.0,
        measured=right,
        interval="none: one net a cell, the best of its learning rates",
        n=len(results["map"].runs),
        tables={"numbers": _numbers(cells, finding.values["bound"]), "map": cells, "contour": _contour(cells, multiple)},
    )


@lru_cache(maxsize=256)  # a sixth of a second each
def _bound(sigma_w2: float, sigma_b2: float, multiple: float) -> float:
    """Return multiple·ξ_c of tanh."""
    return multiple * depth_scales(tanh(), sigma_w2, sigma_b2).xi_c


def _cells(runs: pd.DataFrame, multiple: float) -> pd.DataFrame:
    """Return one row a cell: σ_w², depth, the best accuracy over learning rates, the bound."""
    rows = []
    for (scale, bias, depth), cell in groups(runs, ["init.scale", "init.bias_std", "depth"]):
        best = cell["final_accuracy"].where(cell["status"] == "ok").max()
        measured = 0.0 if math.isnan(best) else float(best)  # every learning rate diverged: nothing was learned
        rows.append({"sigma_w2": round(scale**2, 4), "sigma_b2": round(bias**2, 4), "depth": int(depth), "measured": measured})
    frame = pd.DataFrame(rows)
    bounds = {pair: _bound(*pair, multiple) for pair in set(zip(frame["sigma_w2"], frame["sigma_b2"], strict=True))}
    return frame.assign(bound=[bounds[pair] for pair in zip(frame["sigma_w2"], frame["sigma_b2"], strict=True)])


def _numbers(cells: pd.DataFrame, published: Mapping[float, float]) -> pd.DataFrame:
    """Return one row a σ_w²: the published and predicted bound, the greatest depth that trained and the least that did not."""
    rows = []
    for (sigma_w2,), column in groups(cells, ["sigma_w2"]):
        near = [value for key, value in published.items() if abs(float(key) - sigma_w2) < 1e-3]
        trained, stalled = column.loc[column["trained"], "depth"], column.loc[~column["trained"], "depth"]
        rows.append({
            "sigma_w2": sigma_w2, "published": near[0] if near else math.nan, "theory": column["bound"].iloc[0],
            "deepest_trained": trained.max(), "shallowest_untrained": stalled.min(), "cells": len(column),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _contour(cells: pd.DataFrame, multiple: float) -> pd.DataFrame:
    """Return the bound as a line over the map's range of σ_w², at its first σ_b²; where it is beyond the map it is left out."""
    low, high = cells["sigma_w2"].min(), cells["sigma_w2"].max()
    sigma_b2 = float(cells["sigma_b2"].iloc[0])
    places = [low * (high / low) ** (index / (CONTOUR_POINTS - 1)) for index in range(CONTOUR_POINTS)]
    line = pd.DataFrame({"sigma_w2": places, "depth": [_bound(place, sigma_b2, multiple) for place in places]})
    return line.assign(depth=line["depth"].where(line["depth"] <= 4 * cells["depth"].max()))
