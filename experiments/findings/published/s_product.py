"""δ as a product of one matrix per layer, and the bound on its norm, checked on whole states of nets."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bpcore import activations
from experiments.findings.conditions import Condition, bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.findings.intervals import geometric_mean
from experiments.store.tables import Results


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare every factor with its bound, and δ^1 with the product of the layers' matrices.

    Args:
        results: of the sweeps `start` and `trained`, with snapshots.
        finding: with its thresholds and `values.gamma`.

    Returns:
        The estimate; its number is the largest share of the bound that any layer, example and run used up.
    """
    frames = []
    for name, tables in results.items():
        for run in tables.runs.to_dict("records"):
            frame = _layers(tables.path / f"snapshot_{run['run_id']}.npz", str(run["activation"]), finding.values["gamma"])
            setting = {"sweep": name, **{key: run[key] for key in ("activation", "init.scale", "depth", "seed")}}
            frames.append(frame.assign(**setting).rename(columns={"init.scale": "scale"}))
    layers = pd.concat(frames, ignore_index=True)
    numbers = _numbers(layers)
    start = layers[layers["sweep"] == "start"]
    ends = _ends(start)
    off = float(layers["product_error"].max())
    used = float(layers["used"].max())
    sides, right = _sides(start, ends)
    conditions = [
        bounded("share of the bound that is used", layers["used"], most=1 + finding.threshold("bound_slack")),
        bounded("product of the matrices off δ, relatively", layers["product_error"], most=finding.threshold("product_within")),
        Condition("δ goes to the side of its factors", right == sides if sides else None, f"in {right} of {sides} settings"),
        finite(results),
    ]
    return Estimate(
        finding.verdict(conditions),
        f"In {len(layers)} layers of {numbers['n'].sum()} runs the bound holds, at most {100 * used:.4g} % of it used; the product of the "
        f"layers' matrices gives δ^1 to {off:.1g}; δ^1/δ^D goes to the side of its factors in {right} of {sides} settings."
        if used <= 1 + finding.threshold("bound_slack")
        else f"The bound is broken: {100 * used:.6g} % of it is reached.",
        quantity="largest ‖δ^l‖ / (γ‖W^(l+1)‖₂‖δ^(l+1)‖)",
        published=1.0,
        theory=1.0,
        measured=used,
        n=int(numbers["n"].sum()),
        tables={"numbers": numbers, "factors": layers.drop(columns="product_error"), "ends": ends},
    )


def _layers(path: Path, activation: str, gamma: Mapping[str, float]) -> pd.DataFrame:
    """Return one row a hidden layer of a snapshot: its factor (root mean square over examples), its bound, the share used at most.

    The product D^1 (W^2)ᵀ D^2 (W^3)ᵀ ⋯ D^D (W^L)ᵀ of each example is multiplied out from the left, matrix by matrix, and only then
    applied to δ^L: another order of operations than backpropagation's.
    """
    with np.load(path) as kept:
        state: dict[str, Any] = {name: kept[name] for name in kept.files if name != "config"}
    phi = getattr(activations, activation)()
    L = max(int(name[1:]) for name in state if name[0] == "W" and name[1:].isdigit())
    rows = []
    product = None
    for l in range(1, L):
        W, prime = state[f"W{l + 1}"], phi.prime(state[f"z{l}"])
        matrix = prime.T[:, :, None] * W.T[None]  # (m, n_l, n_(l+1))
        product = matrix if product is None else product @ matrix
        here, above = (np.linalg.norm(state[f"delta{k}"], axis=0) for k in (l, l + 1))
        bound = gamma[activation] * float(np.linalg.norm(W, 2))
        alive = above > 0
        rows.append({
            "layer": l, "bound": bound, "factor": float(np.sqrt((here**2).sum() / (above**2).sum())) if alive.any() else np.nan,
            "used": float((here[alive] / (bound * above[alive])).max(initial=0.0)),
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    assert product is not None
    expected = (product @ state[f"delta{L}"].T[:, :, None])[:, :, 0].T
    scale = float(np.linalg.norm(state["delta1"]))
    difference = float(np.linalg.norm(expected - state["delta1"]))
    return frame.assign(product_error=difference / scale if scale > 0 else (0.0 if difference == 0 else np.inf))


def _numbers(layers: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (sweep, activation, scale), group in groups(layers, ["sweep", "activation", "scale"]):
        rows.append({
            "sweep": sweep, "activation": activation, "scale": scale, "n": len(group.drop_duplicates(["depth", "seed"])),
            "factor": geometric_mean(group["factor"]).value, "bound": geometric_mean(group["bound"]).value, "used": group["used"].max(),
            "product_error": group["product_error"].max(),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _ends(layers: pd.DataFrame) -> pd.DataFrame:
    """Return ‖δ^1‖/‖δ^D‖, the product of the factors of layers 1…D−1, by setting and depth: geometric mean over seeds."""
    inner = layers[layers["layer"] < layers["depth"]]
    each = inner.groupby(["activation", "scale", "depth", "seed"], as_index=False).agg(ratio=("factor", "prod"))
    rows = []
    for (activation, scale, depth), group in groups(each, ["activation", "scale", "depth"]):
        ratio = geometric_mean(group["ratio"])
        rows.append({"activation": activation, "scale": scale, "depth": depth, "measured": ratio.value, "n": ratio.n})
    return pd.DataFrame(rows)


def _sides(layers: pd.DataFrame, ends: pd.DataFrame) -> tuple[int, int]:
    """Return how many settings have their factors, in every net, on one side of 1, and how many of them follow it with depth."""
    inner = layers[layers["layer"] < layers["depth"]]
    nets = inner.groupby(["activation", "scale", "depth", "seed"])["factor"].agg(lambda factors: float(np.exp(np.log(factors).mean())))
    sides = right = 0
    for setting, factors in nets.groupby(["activation", "scale"]):
        rows = ends[(ends["activation"] == setting[0]) & (ends["scale"] == setting[1])].sort_values("depth")
        if (factors < 1).all() or (factors > 1).all():
            sides += 1
            right += int((rows["measured"].iloc[-1] < rows["measured"].iloc[0]) == bool((factors < 1).all()))
    return sides, right
