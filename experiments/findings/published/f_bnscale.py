"""Scale of the weights under batch normalization: outputs, gradients, and their angle to the weights."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, layers_at
from experiments.store.tables import Results

IDENTITIES = ("BN(aWu) = BN(Wu)", "∂J/∂(aW) = a⁻¹ ∂J/∂W", "⟨W, ∂J/∂W⟩ = 0")


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Measure by how much each identity is off, with batch normalization and without.

    Args:
        results: of the sweeps `scale` and `orthogonal`, and of both with `_without`.
        finding: with its thresholds and `values.ratio`.

    Returns:
        The estimate; its numbers are a·∂J/∂(aW) over ∂J/∂W in norm, at the largest a.
    """
    rows, paths = [], []
    ratios = {}
    for name, suffix in (("batch", ""), ("none", "_without")):
        scaled = _scaled(results[f"scale{suffix}"])
        path = _growth(results[f"orthogonal{suffix}"])
        ratios[name] = scaled["ratio"]
        offs = (scaled["output"].max(skipna=False), (scaled["ratio"] - 1).abs().max(skipna=False), path["off"].abs().max(skipna=False))
        numbers_of = (len(scaled), len(scaled), len(path))
        paths.append(_mean_path(path).assign(normalization=name))
        rows += [
            {"identity": identity, "normalization": name, "published": 0.0, "measured": float(off), "n": n}
            for identity, off, n in zip(IDENTITIES, offs, numbers_of, strict=True)
        ]
    numbers = pd.DataFrame(rows)
    worst = numbers.groupby("normalization")["measured"]
    most, least = float(worst.max()["batch"]), float(worst.min()["none"])
    with_it, without = (numbers.loc[numbers["normalization"] == name, "measured"] for name in ("batch", "none"))
    conditions = [
        bounded("identities hold with batch normalization", with_it, most=finding.threshold("identities_within")),
        bounded("each is broken without", without, above=finding.threshold("seen_above")),
        finite(results),
    ]
    ratio = ratios["batch"]
    return Estimate(
        finding.verdict(conditions),
        f"With batch normalization the three identities hold to {most:.1g}, relatively; without it the same checks are off by "
        f"at least {least:.2g}.",
        quantity="a·‖∂J/∂(aW)‖ / ‖∂J/∂W‖, smallest to largest",
        published=float(finding.values["ratio"]),
        theory=1.0,
        measured=float(np.clip(ratio.mean(), ratio.min(), ratio.max())),
        low=float(ratio.min()),
        high=float(ratio.max()),
        interval=f"smallest to largest of {len(ratio)} pairs of runs",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "growth": pd.concat(paths, ignore_index=True)},
    )


def _scaled(tables: Results) -> pd.DataFrame:
    """Return one row a seed and scale beyond the smallest: how far the outputs of layer 1 are off, and the ratio of gradients.

    Scales multiply the output layer's weights too, and with them δ; dividing by their norm takes that out again.
    """
    at_start = layers_at(tables, 0, ["seed", "init.scale"], hidden=False)
    first, last = (at_start[at_start["layer"] == layer].set_index(["seed", "init.scale"]) for layer in (1, 2))
    gradient = first["weight_grad_norm"] * first["weight_norm"] / last["weight_norm"]
    frame = first.assign(gradient=gradient)[["a_mean", "a_var", "gradient"]].astype(float).reset_index()
    rows = []
    for (_,), of_seed in groups(frame, ["seed"]):
        of_seed = of_seed.sort_values("init.scale")
        base = of_seed.iloc[0]
        for row in of_seed.iloc[1:].to_dict("records"):
            mean = abs(row["a_mean"] - base["a_mean"]) / np.sqrt(base["a_var"])
            variance = abs(row["a_var"] / base["a_var"] - 1)
            rows.append({"output": max(mean, variance), "ratio": row["gradient"] / base["gradient"]})
    return pd.DataFrame(rows)


def _growth(tables: Results) -> pd.DataFrame:
    """Return one row a run, hidden layer and step: ‖W‖/‖W at the start‖, Pythagoras's, and by how much the square is off after an update.

    ‖W + ΔW‖² = ‖W‖² + ‖ΔW‖² if and only if ΔW, a multiple of the gradient, is orthogonal to W.
    """
    layers = tables.layers.merge(tables.runs[["run_id", "depth"]], on="run_id")
    layers = layers[(layers["layer"] >= 1) & (layers["layer"] <= layers["depth"])].sort_values(["run_id", "layer", "step"])
    of_layer = layers.groupby(["run_id", "layer"])
    expected = 1 + layers["update_ratio"].astype(float) ** 2
    grown = (of_layer["weight_norm"].shift(-1) / layers["weight_norm"]) ** 2
    start = of_layer["weight_norm"].transform("first")
    before = expected.groupby([layers["run_id"], layers["layer"]]).cumprod() / expected
    frame = layers[["run_id", "layer", "step"]].assign(
        measured=layers["weight_norm"] / start, theory=np.sqrt(before), off=(grown / expected - 1)
    )
    return frame[of_layer.cumcount(ascending=False) > 0]


def _mean_path(path: pd.DataFrame) -> pd.DataFrame:
    """Return the first hidden layer's norm over steps, mean over seeds with smallest and largest."""
    first = path[path["layer"] == 1].groupby("step")
    summary = first["measured"].agg(measured="mean", low="min", high="max")
    return pd.DataFrame(summary.assign(theory=first["theory"].mean()).reset_index())
