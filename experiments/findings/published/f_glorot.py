"""Factors of ‖δ‖² by layer in Glorot and Bengio's tanh nets, with the standard and the normalized initialization."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.findings.intervals import mean
from experiments.store.tables import Results


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Estimate every hidden layer's factor of ‖δ‖².

    Args:
        results: of the sweeps `standard` and `normalized`.
        finding: with its thresholds and the published factors of either.

    Returns:
        The estimate; its numbers are the standard initialization's factor of the fifth layer.
    """
    parts = [_factors(tables, finding.values[name]).assign(initialization=name) for name, tables in results.items()]
    numbers = pd.concat(parts, ignore_index=True)
    last = numbers["layer"].max()
    compared = numbers[(numbers["initialization"] == "standard") | (numbers["layer"] < last)]
    off = (compared["measured"] / compared["published"] - 1).abs()
    fifth = numbers[(numbers["initialization"] == "standard") & (numbers["layer"] == last)].iloc[0]
    third = abs(float(fifth["measured"]) / finding.values["linear_regime"] - 1)
    conditions = [
        bounded("factors as published, relatively", off, most=finding.threshold("chi_within")),
        bounded("standard initialization: the fifth layer's off ⅓", third, most=finding.threshold("third_within")),
        finite(results),
    ]
    inner = numbers[numbers["layer"] < last].groupby("initialization")["measured"].prod()
    return Estimate(
        finding.verdict(conditions),
        f"Layer by layer the factors are within {100 * off.max():.2g} % of the predicted ones; the standard initialization's comes to "
        f"{fifth['measured']:.4g} in the fifth layer. From the fifth to the first layer ‖δ‖² loses "
        f"{1 / inner['standard']:.3g}× with the standard, "
        f"{1 / inner['normalized']:.3g}× with the normalized initialization.",
        quantity="factor of ‖δ‖² per layer, standard initialization, fifth layer",
        published=float(finding.values["linear_regime"]),
        theory=float(fifth["theory"]),
        measured=float(fifth["measured"]),
        low=float(fifth["low"]),
        high=float(fifth["high"]),
        interval=f"95 % over {fifth['n']:.0f} seeds, of the arithmetic mean",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers},
    )


def _factors(tables: Results, published: list[float]) -> pd.DataFrame:
    """Return one row a hidden layer: ‖δ^l‖²/‖δ^(l+1)‖², arithmetic mean over seeds."""
    at_start = tables.layers[tables.layers["step"] == 0]
    squares, theory = (at_start.pivot_table(column, "run_id", "layer") ** 2 for column in ("delta_norm", "delta_norm_theory"))
    rows = []
    for (layer,), _ in groups(at_start[(at_start["layer"] >= 1) & (at_start["layer"] <= len(published))], ["layer"]):
        factor = mean(squares[layer] / squares[layer + 1])
        known = layer in theory and layer + 1 in theory
        rows.append({
            "layer": int(layer), "published": published[int(layer) - 1],
            "theory": float((theory[layer] / theory[layer + 1]).mean()) if known else np.nan,
            **factor.row(),
        })  # fmt: skip
    return pd.DataFrame(rows)
