"""How large Adam's first update of a layer is, against the weights and against ε."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, layers_at
from experiments.findings.intervals import mean
from experiments.store.tables import Results

LAYER = 2
"""The layer that is looked at; in layer 1 constant pixels have no gradient."""

SHOWN = "adam 256"
"""The setting whose ratio the summary shows."""

PLAIN = ("adam", "scale", "rmsprop")
"""The sweeps with one number a setting."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare ‖ΔW‖/(η‖W‖) with √fan_in/σ_w, and below ε with that times rms g/ε.

    Args:
        results: of the sweeps `adam`, `scale`, `rmsprop` and `deep`.
        finding: with its thresholds and published ratios.

    Returns:
        The estimate; its numbers are those of SHOWN.
    """
    numbers = pd.concat([_numbers(results[name], finding.values) for name in PLAIN], ignore_index=True)
    deep = _deep(results["deep"])
    free, met = deep[deep["eps"] < 1e-20], deep[(deep["eps"] > 1e-20) & (deep["rms"] < finding.threshold("below_eps") * deep["eps"])]
    within = finding.threshold("ratio_within")
    apart = free["rms"].max(skipna=False) / free["rms"].min(skipna=False) if len(free) else np.nan
    conditions = [
        bounded("ratios as published, relatively", (numbers["measured"] / numbers["published"] - 1).abs(), most=within),
        bounded("deep net without ε, off √fan_in/σ_w, relatively", (free["measured"] / free["theory"] - 1).abs(), most=within),
        bounded("its largest over its smallest gradient", apart, least=finding.threshold("gradients_apart")),
        bounded("deep net below ε, off rms g/ε, relatively", (met["measured"] / met["theory"] - 1).abs(), most=within),
        finite(results),
    ]
    shown = numbers[numbers["setting"] == SHOWN].iloc[0]
    says = ", ".join(f"{row['setting']} {row['measured']:.4g} ({row['published']:g})" for row in numbers.to_dict("records"))
    return Estimate(
        finding.verdict(conditions),
        f"‖ΔW‖/(η‖W‖) of layer 2 (published): {says}. In a deep net gradients differ by {apart:.2g} times, the ratio without ε "
        f"stays {free['measured'].min():.3g} to {free['measured'].max():.3g}; with ε = 1e-8 it falls to {met['measured'].min():.2g}.",
        quantity="‖ΔW‖/(η‖W‖) of layer 2 in Adam's first step, width 256",
        published=float(shown["published"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "layers": deep.groupby(["eps", "layer"], as_index=False)[["measured", "theory"]].mean()},
    )


def _ratios(tables: Results) -> pd.DataFrame:
    """Return the layers before training with `ratio` = ‖ΔW‖/(η‖W‖), and the settings of the run."""
    columns = ["lr", "width", "init.scale", "optimizer", "optimizer.eps", "optimizer.rho", "seed"]
    hidden = layers_at(tables, 0, [name for name in columns if name in tables.runs])
    return hidden.assign(ratio=hidden["update_ratio"] / hidden["lr"].astype(float), width=hidden["width"].astype(int))


def _numbers(tables: Results, published: Mapping[str, float]) -> pd.DataFrame:
    """Return one row a setting: the ratio of the second layer published, predicted and measured."""
    second = _ratios(tables)
    second = second[second["layer"] == LAYER]
    rows = []
    for (optimizer, width, scale), group in groups(second, ["optimizer", "width", "init.scale"]):
        setting = f"{optimizer} {width}" + ("" if scale == 1 else f" σ_w {scale:g}")
        first = 1 / np.sqrt(1 - group["optimizer.rho"].astype(float).iloc[0]) if optimizer == "rmsprop" else 1.0
        theory = float(first * np.sqrt(width) / scale)
        rows.append({"setting": setting, "published": published[setting], "theory": theory, **mean(group["ratio"]).row()})
    return pd.DataFrame(rows)


def _deep(tables: Results) -> pd.DataFrame:
    """Return one row a run and layer from the second on: ε, root mean square of the gradient, ratio predicted and measured."""
    hidden = _ratios(tables)
    hidden = hidden[hidden["layer"] >= LAYER]
    eps, rms = hidden["optimizer.eps"].astype(float), hidden["weight_grad_norm"] / hidden["width"]
    sigma_w = hidden["weight_norm"] / np.sqrt(hidden["width"])  # of the weights as they were drawn
    theory = np.sqrt(hidden["width"]) / sigma_w * np.minimum(1, rms / eps)
    return hidden[["layer", "seed"]].assign(eps=eps, rms=rms, theory=theory, measured=hidden["ratio"])
