"""Cosine between gradients at different inputs, in normalized ReLU nets of growing depth."""

from collections.abc import Mapping

import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, layers_at
from experiments.statistics.intervals import mean_interval
from experiments.store.tables import Results

DEPTH = 8
"""The depth whose numbers are reported, measured in every mode."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the mean cosine at the first hidden layer with 2^(−L), on independent inputs and on a grid.

    Args:
        results: of the sweeps `independent` and `grid`.
        finding: with its threshold and `values.exponent`.

    Returns:
        The estimate; its numbers are those of depth 8 on independent inputs.
    """
    rows = []
    for name, tables in results.items():
        layers = layers_at(tables, 0, ["depth"])
        for (depth,), group in groups(layers[layers["layer"] == 1], ["depth"]):
            cosine = mean_interval(group["gradient_cosine"].to_numpy())
            rows.append({
                "inputs": name, "depth": int(depth), "published": 2.0 ** (finding.values["exponent"] * depth), **cosine.row(),
            })  # fmt: skip
    numbers = pd.DataFrame(rows)
    numbers["ratio"] = numbers["measured"] / numbers["published"]
    within = float(finding.threshold("law_within"))
    independent, grid = (numbers[numbers["inputs"] == name] for name in ("independent", "grid"))
    law = bounded("cosine ÷ 2^(−L) on independent inputs", independent["ratio"], least=1 / within, most=within)
    on_grid = bool(grid["ratio"].between(1 / within, within).all())
    deepest = grid.iloc[-1]
    words = (
        "the published grid follows it too"
        if on_grid
        else f"on the published grid, where neighbors stay alike, it is {deepest['measured']:.2g} at L = {deepest['depth']}, "
        f"{deepest['ratio']:.3g} times as much"
    )
    at = independent[independent["depth"] == DEPTH].iloc[0]
    return Estimate(
        finding.verdict([law, finite(results)], caveat="" if on_grid else "not on a one-dimensional grid"),
        f"On independent inputs the cosine is {independent['ratio'].min():.2g} to {independent['ratio'].max():.2g} times 2^(−L) "
        f"at depths {', '.join(str(depth) for depth in independent['depth'])}; {words}.",
        quantity=f"mean cosine of the gradients at two independent inputs, L = {DEPTH}",
        published=float(at["published"]),
        theory=2.0**-DEPTH,
        measured=float(at["measured"]),
        low=float(at["low"]),
        high=float(at["high"]),
        interval=f"95 % over {at['n']:.0f} seeds, of the arithmetic mean",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers},
    )
