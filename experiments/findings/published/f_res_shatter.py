"""Cosine between gradients at different inputs in normalized ReLU nets with skip connections, of growing depth."""

import math
from collections.abc import Mapping

import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, layers_at
from experiments.findings.intervals import mean
from experiments.store.tables import Results

DEPTH = 10
"""The depth at which nets with and without skips are compared, measured in every mode."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the mean cosine at the first hidden layer with the published law, and with that of nets without skips.

    Args:
        results: of the sweeps `residual` and `plain`.
        finding: with its thresholds and, under `values`, the published cosines by depth.

    Returns:
        The estimate; its numbers are those of DEPTH layers.
    """
    numbers = _numbers(results["residual"], finding.values["cosine"])
    plain = _cosines(results["plain"])
    off = (numbers["measured"] / numbers["published"] - 1).abs()
    shown = numbers[numbers["depth"] == DEPTH].iloc[0]
    without = plain[plain["depth"] == DEPTH]["measured"].iloc[0]
    times = float(shown["measured"] / without)
    return Estimate(
        finding.verdict([
            bounded("cosines as published, relatively", off, most=finding.threshold("law_within")),
            bounded(f"cosine over that without skips at {DEPTH} layers", times, least=finding.threshold("above_plain")),
            finite(results),
        ]),
        f"At {', '.join(f'{depth:.0f}' for depth in numbers['depth'])} layers the cosine is "
        f"{', '.join(f'{cosine:.3g}' for cosine in numbers['measured'])}; at {DEPTH} it is {times:.3g} times that without skips.",
        quantity=f"mean cosine of the gradients at two independent inputs, {DEPTH} layers",
        published=float(shown["published"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the arithmetic mean",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "plain": plain},
    )  # fmt: skip


def predicted(depth: int) -> float:
    """Return the cosine at the first of D hidden layers for two independent inputs, in wide nets with He initialization.

    ½ Π_(l=0)^(D−2) (1 + ½/v_l)/(1 + 1/v_l), v_l = 2 + (1 − 1/π) l: what the identity carries is all shared, half of what a branch does.

    Args:
        depth: D.

    Source: the share of common units is that of Balduzzi et al. 2017.
    """
    variances = [2 + (1 - 1 / math.pi) * block for block in range(depth - 1)]
    return 0.5 * math.prod((1 + 0.5 / v) / (1 + 1 / v) for v in variances)


def _cosines(tables: Results) -> pd.DataFrame:
    """Return one row a depth: the mean over seeds of the cosine at the first hidden layer, with its interval."""
    layers = layers_at(tables, 0, ["depth"])
    return pd.DataFrame([
        {"depth": int(depth), **mean(group["gradient_cosine"]).row()}
        for (depth,), group in groups(layers[layers["layer"] == 1], ["depth"])
    ])  # fmt: skip


def _numbers(tables: Results, published: Mapping[int, float]) -> pd.DataFrame:
    """Return `_cosines` with what was published, theory's, and 2^(−L) for comparison."""
    cosines = _cosines(tables)
    depths = cosines["depth"]
    return cosines.assign(published=depths.map(dict(published)), theory=depths.map(predicted), halved=2.0**-depths)
