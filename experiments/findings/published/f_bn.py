"""By how much batch normalization makes δ grow per layer."""

import math
from collections.abc import Mapping

import pandas as pd

from bpcore import activations
from bpcore.theory import batch_norm_rate
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.findings.intervals import geometric_mean
from experiments.store.tables import Results

SETTLED_FROM = 3
"""First hidden layer whose input is a normalized layer's with its correlations settled; the layers before it are left out."""

SHOWN = ("relu", 16)
"""The activation and batch size whose factor the summary shows; every variant of the sweep has them."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the factor of ‖δ‖² per layer with the published, and over scales of the weights.

    Args:
        results: of the sweeps `rates` and `scales`.
        finding: with its thresholds and, under `values`, the published factors by activation and batch size.

    Returns:
        The estimate; its numbers are those of SHOWN.
    """
    numbers = _numbers(results["rates"], finding.values)
    known = numbers.dropna(subset=["published"])
    off = (known["measured"] / known["published"] - 1).abs()
    within = finding.threshold("rate_within")
    clear = known[known["published"] - 1 > within]
    scales = _factors(results["scales"])["measured"]
    spread = scales / scales.min() - 1
    conditions = [
        bounded("factors as published, relatively", off, most=within),
        bounded("δ grows where it was published to", clear["low"], above=finding.threshold("grows_above")),
        bounded("the scale of the weights drops out", spread, most=finding.threshold("scale_within")),
        finite(results),
    ]
    shown = known[(known["activation"] == SHOWN[0]) & (known["batch"] == SHOWN[1])].iloc[0]
    return Estimate(
        finding.verdict(conditions),
        f"The {len(known)} published factors are met within {100 * off.max():.2g} %; ReLU at B = {SHOWN[1]} has "
        f"{shown['measured']:.4g} (published "
        f"{shown['published']:.4g}). Weights 8 times larger change the factor by {spread.max():.1g}.",
        quantity=f"factor of ‖δ‖² per layer, ReLU, B = {SHOWN[1]}",
        published=float(shown["published"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the geometric mean",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "limits": _limits(numbers)},
    )


def _factors(tables: Results) -> pd.DataFrame:
    """Return one row a run: activation, batch size, and the factor of ‖δ‖² per layer from SETTLED_FROM to the last hidden layer."""
    norms = tables.layers[tables.layers["step"] == 0].set_index(["run_id", "layer"])["delta_norm"]
    rows = []
    for run in tables.runs.to_dict("records"):
        depth = int(run["depth"])
        ratio = norms[run["run_id"], SETTLED_FROM] / norms[run["run_id"], depth]
        measured = float(ratio ** (2 / (depth - SETTLED_FROM)))
        rows.append({"activation": run["activation"], "batch": int(run["data.n_samples"]), "measured": measured})
    return pd.DataFrame(rows)


def _rate(activation: str, batch: float) -> float:
    return batch_norm_rate(getattr(activations, activation)(), batch)


def _numbers(tables: Results, published: Mapping[str, Mapping[int, float]]) -> pd.DataFrame:
    """Return one row an activation and batch size, with the published and the predicted factor."""
    rows = []
    for (activation, batch), group in groups(_factors(tables), ["activation", "batch"]):
        factor = geometric_mean(group["measured"])
        rows.append({
            "activation": activation, "batch": batch, "published": published.get(activation, {}).get(batch, math.nan),
            "theory": _rate(activation, batch), **factor.row(),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _limits(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return the prediction for infinitely large batches, by activation."""
    names = sorted(numbers["activation"].unique())
    return pd.DataFrame({"activation": names, "theory": [_rate(name, math.inf) for name in names]})
