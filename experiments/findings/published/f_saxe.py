"""How long deep linear nets learn, from orthogonal and from Gaussian weights."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import Condition, bounded, every
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import groups, steps_beside
from experiments.findings.intervals import bootstrap
from experiments.statistics.intervals import Interval
from experiments.store.tables import Results

SHALLOW = 2
"""Depth with which the greatest is compared."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare learning times over depths, and the singular values before training.

    Args:
        results: of the sweep `learning`.
        finding: with its thresholds.

    Returns:
        The estimate; its numbers are the ratio of the learning times of the deepest and of the shallow orthogonal nets.
    """
    tables = results["learning"]
    times = _times(tables, float(finding.threshold("learned_to")))
    deep = int(times["depth"].max())
    off = _singular_values_off(tables)
    orthogonal, gaussian = (_ratio(times, name, deep) for name in ("orthogonal", "fan_in"))
    limit = float(finding.threshold("independent_within"))
    learned = times[(times["init"] == "orthogonal") | (times["depth"] == SHALLOW)]["updates"].notna()
    slower = math.isnan(gaussian.value) or gaussian.value > limit
    there = {SHALLOW, deep} <= set(times.loc[times["init"] == "fan_in", "depth"])  # never learned counts as more; never run as nothing
    never = "not all get there" if math.isnan(gaussian.value) else f"{gaussian.value:.3g}"
    conditions = [
        bounded("singular values of orthogonal products off 1", off, most=finding.threshold("singular_within")),
        every("orthogonal nets and shallow ones learn", learned, "nets"),
        bounded("orthogonal nets, times as long when deep", orthogonal.value, most=limit),
        Condition("Gaussian nets take longer when deep", slower if there else None, f"{never}, needed > {limit:.6g} times as long"),
    ]
    says = "do not all get there within the steps" if math.isnan(gaussian.value) else f"take {gaussian.value:.2g} times as long"
    return Estimate(
        finding.verdict(conditions),
        f"Orthogonal nets of depth {deep} take {orthogonal.value:.2g} times as many updates as those of depth {SHALLOW}, "
        f"Gaussian ones {says}; "
        f"orthogonal products have singular values within {off:.1g} of 1.",
        quantity=f"ratio of the learning times at depths {deep} and {SHALLOW}, orthogonal weights",
        published=1.0,
        measured=None if math.isnan(orthogonal.value) else orthogonal.value,
        low=None if math.isnan(orthogonal.low) else orthogonal.low,
        high=None if math.isnan(orthogonal.high) else orthogonal.high,
        interval=f"95 % over {orthogonal.n} seeds, bootstrap of the mean",
        n=len(tables.runs),
        tables={"numbers": _numbers(times), "curves": _curves(tables, times, deep)},
    )


def _left(tables: Results) -> pd.DataFrame:
    """Return the steps with `left`, the share of the target's square that is not learned: Σ(s_k − s*_k)²/Σ s*_k²."""
    steps = steps_beside(tables, ["init", "depth", "lr", "seed", "data.strength", "data.n_modes"])
    square = whole = pd.Series(0.0, index=steps.index)
    for number in (1, 2, 3, 4):
        share = (steps["data.n_modes"] + 1 - number) / steps["data.n_modes"]  # as the data set says
        target = (steps["data.strength"] * share).where(share > 0)
        square = square + ((steps[f"mode_{number}"] - target) ** 2).where(target.notna(), 0.0)
        whole = whole + target.fillna(0.0) ** 2
    return steps.assign(left=square / whole)


def _times(tables: Results, learned_to: float) -> pd.DataFrame:
    """Return one row a net: updates from which on `left` stays at most learned_to, of its best learning rate; empty where none gets there.

    A net that passes by while it bounces has not learned.
    """
    steps = _left(tables)
    runs = tables.runs.set_index("run_id")
    too_much = steps[~(steps["left"] <= learned_to)].groupby("run_id")["step"].max().reindex(runs.index, fill_value=-1)
    last = steps.groupby("run_id")["step"].max().reindex(runs.index)
    learned = (too_much < last) & (runs["status"] == "ok")
    runs["updates"] = (too_much + 1).where(learned)
    rows = []
    for (init, depth, seed), net in groups(runs, ["init", "depth", "seed"]):
        best = net.dropna(subset=["updates"]).sort_values(["updates", "lr"]).head(1)
        updates, lr = (float(best[name].iloc[0]) if len(best) else math.nan for name in ("updates", "lr"))
        rows.append({"init": init, "depth": int(depth), "seed": int(seed), "updates": updates, "lr": lr})
    return pd.DataFrame(rows)


def _ratio(times: pd.DataFrame, init: str, deep: int) -> Interval:
    """Return the ratio of the updates at the greatest depth and at SHALLOW; NaN where a net does not get there."""
    pivot = times[times["init"] == init].pivot_table("updates", "seed", "depth", dropna=False)
    if deep not in pivot or SHALLOW not in pivot or pivot[[deep, SHALLOW]].isna().any(axis=None):
        return Interval(math.nan, math.nan, math.nan, 0, "none")
    return bootstrap(pivot[deep] / pivot[SHALLOW], np.mean)


def _singular_values_off(tables: Results) -> float:
    """Return how far a singular value of an orthogonal net's product is from 1 before training, at most."""
    names = tables.runs.loc[tables.runs["init"] == "orthogonal", "run_id"]
    start = tables.steps[(tables.steps["step"] == 0) & tables.steps["run_id"].isin(names)]
    return float((start[["singular_value_max", "singular_value_min"]] - 1).abs().to_numpy().max())


def _numbers(times: pd.DataFrame) -> pd.DataFrame:
    """Return one row an initialization and depth: updates, mean over the seeds that got there."""
    rows = []
    for (init, depth), nets in groups(times, ["init", "depth"]):
        updates = bootstrap(nets["updates"], np.mean)
        rows.append({
            "init": init, "depth": depth, "measured": updates.value, "low": updates.low, "high": updates.high,
            "learned": int(nets["updates"].notna().sum()), "n": len(nets), "best_lr": nets["lr"].dropna().median(),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _curves(tables: Results, times: pd.DataFrame, deep: int) -> pd.DataFrame:
    """Return what is left to learn, over updates, of the first seed's nets at SHALLOW and the greatest depth with their best learning rate.

    Where none gets there it is the learning rate that leaves least.
    """
    steps = _left(tables)
    steps = steps[(steps["seed"] == times["seed"].min()) & steps["depth"].isin([SHALLOW, deep])]
    kept = []
    for (init, depth), nets in groups(steps, ["init", "depth"]):
        chosen = times[(times["init"] == init) & (times["depth"] == depth) & (times["seed"] == times["seed"].min())]["lr"].iloc[0]
        if math.isnan(chosen):
            finite = nets[nets["left"].notna()]
            chosen = finite.loc[finite.groupby("lr")["step"].idxmax()].sort_values("left")["lr"].iloc[0]
        kept.append(nets[nets["lr"] == chosen])
    curves: pd.DataFrame = pd.concat(kept)[["init", "depth", "lr", "step", "left"]]
    return curves.rename(columns={"left": "measured"}).reset_index(drop=True)
