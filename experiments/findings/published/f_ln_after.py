"""By how much LayerNorm and RMSNorm behind φ change δ per layer, at any variance of the weights; and the sigmoid's twin."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from bpcore import activations
from bpcore.theory import example_norm_rate
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, layers_at, norms_at_start, rate_of_squares
from experiments.store.tables import Results

SETTLED_FROM = 5
"""First hidden layer that is counted: what the inputs' lengths do has settled by then."""

SHOWN = ("relu", "layer", 1.0)
"""The setting whose factor the summary shows."""

AXES = ["activation", "normalization", "scale"]


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the factors with the published, RMSNorm's with LayerNorm's, and the sigmoid's with those of its twin.

    Args:
        results: of the sweeps `rates`, `scales`, `sigmoid` and `tanh`.
        finding: with its thresholds and `values.rates`.

    Returns:
        The estimate; its numbers are those of SHOWN.
    """
    numbers = pd.concat([_numbers(results[name], finding.values["rates"]) for name in ("rates", "scales")], ignore_index=True)
    twins = _twins(results)
    rate = numbers.set_index(AXES)["measured"]
    relu, other = rate.get(SHOWN, math.nan), rate.get(("relu", "rms", 1.0), math.nan)
    off = (numbers["measured"] / numbers["published"] - 1).abs()
    apart = (twins["sigmoid"] / twins["tanh"] - 1).abs()
    within = finding.threshold("rate_within")
    conditions = [
        bounded("factors as published, relatively", off, most=within),
        bounded("after ReLU LayerNorm's over RMSNorm's", relu / other, least=finding.threshold("apart")),
        bounded("factors under LayerNorm", numbers.loc[numbers["normalization"] == "layer", "measured"], least=1 - within),
        bounded("sigmoid off its twin, relatively", apart, most=finding.threshold("twins_within")),
        finite(results),
    ]
    shown = numbers[(numbers[AXES] == list(SHOWN)).all(axis=1)].iloc[0]
    return Estimate(
        finding.verdict(conditions),
        f"The {len(numbers)} factors are met within {100 * off.max():.2g} %; behind ReLU LayerNorm has {relu:.4g} and RMSNorm {other:.4g}. "
        f"Factors of sigmoid and tanh nets of half the weights agree to {apart.max():.1g}.",
        quantity="factor of ‖δ‖² per layer, LayerNorm behind ReLU",
        published=float(shown["published"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the mean of ‖δ‖²",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "twins": twins},
    )


def _numbers(tables: Results, published: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row a setting: the published and the predicted factor, and the measured one with its interval."""
    norms = norms_at_start(tables)
    runs = tables.runs.assign(scale=tables.runs["init.scale"].astype(float))
    return pd.DataFrame([
        {
            **dict(zip(AXES, (activation, normalization, scale), strict=True)),
            "published": published[activation][normalization].get(scale, math.nan),
            "theory": example_norm_rate(getattr(activations, activation)(), scale**2, normalization == "layer", after=True),
            **rate_of_squares(norms, group["run_id"], SETTLED_FROM, int(group["depth"].iloc[0])).row(),
        }
        for (activation, normalization, scale), group in groups(runs, AXES)
    ])  # fmt: skip


def _twins(results: Mapping[str, Results]) -> pd.DataFrame:
    """Return one row a seed and layer: ‖δ^l‖²/‖δ^(l+1)‖² in the sigmoid net and in the tanh net, NaN where one of them is missing."""
    columns = {}
    for name in ("sigmoid", "tanh"):
        rows = layers_at(results[name], 0, ["seed"]).sort_values(["seed", "layer"])
        above = rows.groupby("seed")["delta_norm"].shift(-1)
        rows = rows.assign(factor=(rows["delta_norm"] / above) ** 2)[above.notna() | rows["delta_norm"].isna()]
        columns[name] = rows.set_index(["seed", "layer"])["factor"]
    return pd.DataFrame(columns).reset_index()
