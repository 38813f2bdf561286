"""How far adaptive clipping lets a unit's weights move in a step, and which nets train by it."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, present, reached
from experiments.findings.intervals import share
from experiments.store.tables import Results


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the move of every row and layer with the bound, and the nets' accuracies with and without clipping.

    Args:
        results: of the sweeps `rows`, with snapshots of consecutive steps, `clipped` and `free`.
        finding: with its thresholds.

    Returns:
        The estimate; its numbers are the share of clipped nets that train.
    """
    rows, layers = _rows(results["rows"]), _layers(results["clipped"])
    clipped, free = (reached(results[name].runs) for name in ("clipped", "free"))
    above = finding.threshold("trained_above")
    trained = share(clipped["accuracy"] > above)
    conditions = [
        bounded("rows: move over the bound", rows, most=1 + finding.threshold("bound_slack")),
        bounded("layers: move over the bound", layers, most=1 + finding.threshold("layer_slack")),
        bounded("share of clipped nets that train", trained.value, least=finding.threshold("train_share")),
        bounded("accuracy without clipping", free["accuracy"], most=above),
        finite({"rows": results["rows"]}),
        present(results),
    ]
    products = clipped["clip.threshold"].astype(float) * clipped["lr"].astype(float)
    runs = pd.concat([clipped.assign(product=products), free.assign(product=free["lr"].astype(float))], ignore_index=True)
    numbers = pd.DataFrame([
        {
            "kind": kind, "product": product, "measured": cell["accuracy"].mean(), "low": cell["accuracy"].min(),
            "high": cell["accuracy"].max(), "diverged": int((cell["status"] == "diverged").sum()), "n": len(cell),
        }
        for (kind, product), cell in groups(runs, ["clip", "product"])
    ])  # fmt: skip
    lost = int((free["status"] == "diverged").sum())
    return Estimate(
        finding.verdict(conditions),
        f"Of {len(rows)} rows in single steps none moves by more than {rows.max(skipna=False):.9g} of the bound. "
        f"{int((clipped['accuracy'] > above).sum())} of {len(clipped)} clipped nets end above {above:g}, from "
        f"{clipped['accuracy'].min():.2f} to {clipped['accuracy'].max():.2f}; without clipping {lost} of {len(free)} diverge and none "
        f"ends above {free['accuracy'].max():.2f}.",
        quantity=f"share of clipped nets that end above an accuracy of {above:g}",
        published=float(finding.values["share"]),
        measured=trained.value,
        low=trained.low,
        high=trained.high,
        interval=f"95 % over {trained.n} nets, Wilson",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers},
    )


def _rows(tables: Results) -> "pd.Series[float]":
    """Return ‖ΔW_i‖ over ηλ max(‖W_i‖, ε) of every row of every layer, from one snapshot to that of the next step."""
    found = [np.empty(0)]
    for (_,), group in groups(tables.runs, ["seed"]):
        states = []
        for run in group.sort_values("record.snapshot").to_dict("records"):
            with np.load(tables.path / f"snapshot_{run['run_id']}.npz") as arrays:
                states.append({l: arrays[f"W{l}"] for l in range(1, int(run["depth"]) + 2)})
        of = group.iloc[0]
        most = float(of["lr"]) * float(of["clip.threshold"])
        for before, after in pairwise(states):
            for l, W in before.items():
                bound = most * np.maximum(np.linalg.norm(W, axis=1), float(of["clip.eps"]))
                found.append(np.linalg.norm(after[l] - W, axis=1) / bound)
    return pd.Series(np.concatenate(found))


def _layers(tables: Results) -> "pd.Series[float]":
    """Return ‖ΔW‖ over ηλ‖W‖ of every layer and step but the last, where nothing moves."""
    layers = tables.layers.merge(tables.runs[["run_id", "lr", "clip.threshold"]], on="run_id")
    moved = layers[(layers["layer"] >= 1) & (layers["step"] < layers.groupby("run_id")["step"].transform("max"))]
    return moved["update_ratio"] / (moved["lr"].astype(float) * moved["clip.threshold"].astype(float))
