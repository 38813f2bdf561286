"""By how much normalized weights turn per step under SGD with weight decay."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.store.tables import Results

SHOWN = ("0.1, 0.1", 1)
"""Rate and decay, and the layer, whose turn the summary shows."""

LONG = ("faster", "slower")


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare ‖ΔW‖/‖W‖ with √(2ηλ) where the norm has settled, and every single step with what it rests on.

    Args:
        results: of the sweeps `faster`, `slower` and `steps`.
        finding: with its thresholds and `values.published`.

    Returns:
        The estimate; its numbers are those of SHOWN, low and high being the smallest and largest layer of that setting.
    """
    numbers = pd.concat([_numbers(results[name], finding.values["published"]) for name in LONG], ignore_index=True)
    long_enough = numbers["steps"] * numbers["product"] >= finding.threshold("settled_after")
    settled = numbers[long_enough & (numbers["drift"] < finding.threshold("drift_below"))]
    single = _steps(results["steps"])
    conditions = [
        bounded("turn off √(2ηλ), relatively", (settled["measured"] / settled["theory"] - 1).abs(), most=finding.threshold("turn_within")),
        bounded("layers that have settled", len(settled), least=finding.threshold("layers_least")),
        bounded("⟨W, ΔW⟩ off −ηλ‖W‖² in single steps, relatively", single, most=finding.threshold("step_within")),
        finite(results),
    ]
    own = numbers[numbers["setting"] == SHOWN[0]]
    shown = own[own["layer"] == SHOWN[1]].iloc[0]
    return Estimate(
        finding.verdict(conditions),
        f"In {len(settled)} of {len(numbers)} layers, settled, ‖ΔW‖/‖W‖ is √(2ηλ) within "
        f"{100 * (settled['measured'] / settled['theory'] - 1).abs().max():.2g} %; in {len(single)} single steps ⟨W, ΔW⟩ is −ηλ‖W‖² to "
        f"{single.max():.1g}.",
        quantity=f"‖ΔW‖/‖W‖ of layer {SHOWN[1]} at η, λ = {SHOWN[0]}",
        published=float(shown["published"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(own["measured"].min()),
        high=float(own["measured"].max()),
        interval="smallest to largest layer of that setting",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers},
    )


def _hidden(tables: Results) -> pd.DataFrame:
    """Return the layers table of hidden layers with the settings of the run, in the order of the steps."""
    layers = tables.layers.merge(tables.runs[["run_id", "depth", "lr", "weight_decay"]], on="run_id")
    layers = layers[(layers["layer"] >= 1) & (layers["layer"] <= layers["depth"])].sort_values(["run_id", "layer", "step"])
    return layers.assign(product=layers["lr"].astype(float) * layers["weight_decay"].astype(float))


def _numbers(tables: Results, published: Mapping[str, float]) -> pd.DataFrame:
    """Return one row a run and layer: the root mean square of ‖ΔW‖/‖W‖ over the last half, and how far ‖W‖ drifts meanwhile."""
    rows = []
    for (lr, decay, run, layer), path in groups(_hidden(tables), ["lr", "weight_decay", "run_id", "layer"]):
        last = path[path["step"] >= path["step"].max() / 2]
        early, late = (half.mean() for half in np.array_split(last["weight_norm"].to_numpy(dtype=float), 2))
        product = float(path["product"].iloc[0])
        rows.append({
            "setting": f"{lr:g}, {decay:g}", "run": run, "layer": int(layer), "steps": int(path["step"].max()), "product": product,
            "drift": float(abs(late / early - 1)), "published": published[f"{lr:g}, {decay:g}"],
            "theory": np.sqrt(2 * product), "measured": float(np.sqrt((last["update_ratio"].iloc[:-1] ** 2).mean(skipna=False))),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _steps(tables: Results) -> "pd.Series[float]":
    """Return by how much ⟨W, ΔW⟩ = (‖W + ΔW‖² − ‖W‖² − ‖ΔW‖²)/2 is off −ηλ‖W‖², relatively, for every layer and step."""
    layers = _hidden(tables)
    after = (layers.groupby(["run_id", "layer"])["weight_norm"].shift(-1) / layers["weight_norm"]) ** 2
    product = (after - 1 - layers["update_ratio"] ** 2) / 2
    last = layers["step"] == layers.groupby("run_id")["step"].transform("max")
    return (product / -layers["product"] - 1).abs()[~last]
