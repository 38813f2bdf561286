"""To which correlation two inputs flow under dropout, read off the cosine of their gradients."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from bpcore.activations import relu
from bpcore.theory import depth_scales
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.findings.intervals import mean
from experiments.store.tables import Results

LAYERS = 2
"""The last hidden layers, over which the cosine's fall is measured."""

SHOWN = 4
"""Layers below the output that the figure shows."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Estimate c* and ξ by rate.

    Args:
        results: of the sweep `critical`.
        finding: with its thresholds and the published c* and ξ.

    Returns:
        The estimate; its numbers are c* of the lowest rate.
    """
    tables = results["critical"]
    profile = _profile(tables)
    numbers = _numbers(profile, finding.values)
    off = (numbers["fall"] / np.exp(-1 / numbers["xi_published"]) - 1).abs()
    conditions = [
        bounded("fall of the cosine per layer off the published, relatively", off, most=finding.threshold("fall_within")),
        bounded("the same over that of inputs that merge, p", numbers["fall"] / (1 - numbers["rate"]), most=finding.threshold("apart")),
        finite(results),
    ]
    shown = numbers.iloc[0]
    found = ", ".join(f"{value:.3f}" for value in numbers["measured"])
    return Estimate(
        finding.verdict(conditions),
        f"Per layer the cosine falls as published within {100 * off.max():.2g} %: c* is {found} at rates "
        f"{', '.join(f'{rate:g}' for rate in numbers['rate'])}, ξ {', '.join(f'{xi:.3f}' for xi in numbers['xi'])} layers.",
        quantity=f"c* at dropout.rate={shown['rate']:g}",
        published=float(shown["published"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the mean cosine {LAYERS} layers below the output",
        n=len(tables.runs),
        tables={"numbers": numbers, "profile": profile},
    )


def _profile(tables: Results) -> pd.DataFrame:
    """Return one row a rate and layer, counted from the output: the mean cosine of the gradients with its interval, and theory's."""
    layers = tables.layers[tables.layers["step"] == 0].set_index(["run_id", "layer"])["gradient_cosine"]
    rows = []
    for (rate,), group in groups(tables.runs, ["dropout.rate"]):
        keep, depth = 1 - rate, int(group["depth"].iloc[0])
        slope = depth_scales(relu(), 2 * keep, 0.0, keep=keep).chi_c
        for below in range(min(SHOWN, depth - 1) + 1):
            cosine = mean([layers[run, depth + 1 - below] for run in group["run_id"]])
            rows.append({
                "rate": rate, "below": below, "theory": slope**below,
                "measured": cosine.value, "low": cosine.low, "high": cosine.high, "n": cosine.n,
            })  # fmt: skip
    return pd.DataFrame(rows)


def _numbers(profile: pd.DataFrame, published: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    rows = []
    for row in profile[profile["below"] == LAYERS].to_dict("records"):
        rate, keep = row["rate"], 1 - row["rate"]
        falls = {end: max(row[end], 0.0) ** (1 / LAYERS) if row[end] == row[end] else math.nan for end in ("measured", "low", "high")}
        scales = depth_scales(relu(), 2 * keep, 0.0, keep=keep)
        found = {end: -math.cos(math.pi * min(fall / keep, 1.0)) if fall == fall else math.nan for end, fall in falls.items()}
        xi = -1 / np.log(falls["measured"]) if 0 < falls["measured"] < 1 else math.nan
        name = f"{rate:g}"
        rows.append({
            "rate": rate, "published": published["c"].get(name, math.nan), "theory": scales.c, **found,
            "xi_published": published["xi"].get(name, math.nan), "xi_theory": scales.xi_c, "xi": xi,
            "fall": falls["measured"], "n": row["n"],
        })  # fmt: skip
    return pd.DataFrame(rows)
