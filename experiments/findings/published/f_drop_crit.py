"""By how much δ and z change per layer where units are dropped: the rates are those of σ_w²/p."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bpcore import activations
from bpcore.theory import depth_scales
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.findings.intervals import mean
from experiments.store.tables import Results

SETTLED_FROM = 5
"""First hidden layer that is counted: what the inputs' lengths do has settled by then."""

SHOWN = ("relu", 0.5, 1.0, "δ")
"""The setting whose factor the summary shows."""

AXES = ["activation", "rate", "sigma_w2", "of"]


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the factor of the square per layer with the published and the predicted one, by activation, rate and σ_w².

    Args:
        results: of the sweeps `relu` and `tanh`.
        finding: with its thresholds and, under `values`, the published factors.

    Returns:
        The estimate; its numbers are those of SHOWN.
    """
    numbers = pd.concat([_numbers(tables, finding.values["rates"]) for tables in results.values()], ignore_index=True)
    off = (numbers["measured"] / numbers["published"].fillna(numbers["theory"]) - 1).abs()
    within = finding.threshold("rate_within")
    he = numbers[(numbers["activation"] == "relu") & (numbers["sigma_w2"] == 2) & (numbers["rate"] > 0) & (numbers["of"] == "δ")]
    whole = numbers[(numbers["activation"] == "relu") & (numbers["sigma_w2"] == 1) & (numbers["rate"] == 0) & (numbers["of"] == "z")]
    keep = 1 - SHOWN[1]
    conditions = [
        bounded("factors as published or predicted, relatively", off, most=within),
        bounded("with the mask off the signal of the critical net, over p", whole["measured"] / keep, least=1 - within, most=1 + within),
        bounded("factors of ‖δ‖² at He's σ_w² under dropout", he["measured"], above=finding.threshold("he_grows")),
        finite(results),
    ]
    found = numbers[(numbers[AXES] == list(SHOWN)).all(axis=1)]
    shown = found.iloc[0] if len(found) else numbers.iloc[0]
    return Estimate(
        finding.verdict(conditions),
        f"The {len(numbers)} factors are met within {100 * off.max():.2g} %. ReLU at p = {keep:g} has {shown['measured']:.4g} at "
        f"σ_w² = 2p, and at He's σ_w² {he['measured'].min():.4g} to {he['measured'].max():.4g}.",
        quantity=f"factor of ‖δ‖² per layer, ReLU at p = {keep:g} and σ_w² = 2p",
        published=float(shown["published"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the mean of ‖δ‖²",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers},
    )


def _numbers(tables: Results, published: Mapping[str, float]) -> pd.DataFrame:
    """Return one row a setting, for δ and, of ReLU, for z: the published and the predicted factor, the measured one with its interval."""
    layers = tables.layers[tables.layers["step"] == 0].set_index(["run_id", "layer"])
    squares = {"δ": layers["delta_norm"] ** 2, "z": layers["z_var"] + layers["z_mean"] ** 2}
    runs = tables.runs.assign(sigma_w2=(tables.runs["init.scale"] ** 2).round(12), sigma_b2=tables.runs["init.bias_std"].fillna(0.0) ** 2)
    rows = []
    for (activation, rate, sigma_w2, sigma_b2), group in groups(runs, ["activation", "dropout.rate", "sigma_w2", "sigma_b2"]):
        scales = depth_scales(getattr(activations, activation)(), sigma_w2, sigma_b2, keep=1 - rate)
        last = int(group["depth"].iloc[0])
        for of, own in squares.items() if activation == "relu" else [("δ", squares["δ"])]:
            first, end = (SETTLED_FROM, last) if of == "δ" else (last, SETTLED_FROM)
            ratios = [own[run, first] / own[run, end] for run in group["run_id"]]
            total, steps = mean(np.asarray(ratios, dtype=float)), last - SETTLED_FROM
            with np.errstate(invalid="ignore"):
                measured, low, high = (float(np.float64(value) ** (1 / steps)) for value in (total.value, max(total.low, 0.0), total.high))
            rows.append({
                "activation": activation, "rate": rate, "sigma_w2": sigma_w2, "of": of,
                "published": published.get(f"{activation} {rate:g} {sigma_w2:g}", np.nan), "theory": scales.chi_1,
                "measured": measured, "low": low, "high": high, "n": total.n,
            })  # fmt: skip
    return pd.DataFrame(rows)
