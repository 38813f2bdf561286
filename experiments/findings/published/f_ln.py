"""By how much LayerNorm and RMSNorm change δ per layer, before φ and after it."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from bpcore import activations
from bpcore.theory import example_norm_rate
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.findings.intervals import mean
from experiments.store.tables import Results

SETTLED_FROM = 5
"""First hidden layer that is counted: what the inputs' lengths do has settled by then."""

SHOWN = ("sigmoid", "layer", "before")
"""The setting whose factor the summary shows."""

AXES = ["activation", "normalization", "place"]


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the factor of ‖δ‖² per layer with the published and the predicted one, by activation, normalization and place.

    Args:
        results: of the sweep `rates`.
        finding: with its thresholds and, under `values`, the published factors before φ.

    Returns:
        The estimate; its numbers are those of SHOWN.
    """
    numbers = _numbers(results["rates"], finding.values["before"])
    off = (numbers["measured"] / numbers["published"].fillna(numbers["theory"]) - 1).abs()
    rate = numbers.set_index(AXES)["measured"]
    apart = _ratio(rate, ("relu", "layer", "after"), ("relu", "rms", "after"))
    moved = _ratio(rate, ("sigmoid", "layer", "after"), SHOWN)
    conditions = [
        bounded("factors as published or predicted, relatively", off, most=finding.threshold("rate_within")),
        bounded("after ReLU LayerNorm's over RMSNorm's", apart, least=finding.threshold("apart")),
        bounded("LayerNorm after the sigmoid over before", moved, least=finding.threshold("place")),
        finite(results),
    ]
    found = numbers[(numbers[AXES] == list(SHOWN)).all(axis=1)]
    shown = found.iloc[0] if len(found) else numbers.iloc[0]
    return Estimate(
        finding.verdict(conditions),
        f"The {len(numbers)} factors are met within {100 * off.max():.2g} %. LayerNorm has {shown['measured']:.3g} before the sigmoid "
        f"and {moved * shown['measured']:.4g} behind it; behind ReLU it has {apart:.3g} times RMSNorm's.",
        quantity="factor of ‖δ‖² per layer, LayerNorm before the sigmoid",
        published=float(shown["published"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the mean of ‖δ‖²",
        n=int(numbers["n"].sum()),
        tables={"numbers": numbers},
    )


def _ratio(rate: "pd.Series[float]", one: tuple[str, str, str], other: tuple[str, str, str]) -> float:
    """Return the quotient of two settings' factors, NaN where one of them is missing, which fails every comparison."""
    return float(rate[one] / rate[other]) if one in rate.index and other in rate.index else math.nan


def _numbers(tables: Results, published: Mapping[str, float]) -> pd.DataFrame:
    """Return one row a setting: the published and the predicted factor, and the measured one with its interval."""
    norms = tables.layers[tables.layers["step"] == 0].set_index(["run_id", "layer"])["delta_norm"]
    runs = tables.runs.assign(place=tables.runs["normalization.place"])
    rows = []
    for (activation, normalization, place), group in groups(runs, AXES):
        steps = int(group["depth"].iloc[0]) - SETTLED_FROM
        squares = [(norms[run, SETTLED_FROM] / norms[run, SETTLED_FROM + steps]) ** 2 for run in group["run_id"]]
        total = mean(np.asarray(squares, dtype=float))
        with np.errstate(invalid="ignore"):
            measured, low, high = (float(np.float64(value) ** (1 / steps)) for value in (total.value, max(total.low, 0.0), total.high))
        rows.append({
            "activation": activation, "normalization": normalization, "place": place,
            "published": published.get(activation, math.nan) if place == "before" else math.nan,
            "theory": example_norm_rate(getattr(activations, activation)(), 1.0, normalization == "layer", place == "after"),
            "measured": measured, "low": low, "high": high, "n": total.n,
        })  # fmt: skip
    return pd.DataFrame(rows)
