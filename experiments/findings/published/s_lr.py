"""The learning rate, too large and too small: where nets are lost, train and stall, against 2/λ before training."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bpcore.theory.limits import step_size_limit
from experiments.findings.conditions import bounded, every
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import groups
from experiments.findings.intervals import geometric_mean
from experiments.store.tables import Results

SHOWN_DEPTH = 4
"""Whose border the summary shows; every variant of the sweep has it."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Tell lost, trained and stalled nets apart, and find the border above which they are lost.

    Args:
        results: of the sweeps `map` and `curvature`.
        finding: with its thresholds.

    Returns:
        The estimate; its numbers are the border in units of 2/λ at depth SHOWN_DEPTH.
    """
    nets = _nets(results["map"], results["curvature"])
    safe = nets[nets["rate"] <= finding.threshold("safe_below")]
    far = nets[nets["rate"] > finding.threshold("lost_above")]
    slow = nets[nets["rate"] < finding.threshold("stalls_below")]
    best = nets[~nets["lost"]].groupby(["depth", "seed"])["kept"].min().reindex(_index(nets))
    borders = _borders(nets)
    numbers = _numbers(borders)
    shown = numbers.iloc[(numbers["depth"] - SHOWN_DEPTH).abs().argmin()]
    conditions = [
        bounded("2/λ is known", nets["limit"], above=0),
        every("no net is lost below it", ~safe["lost"], "nets"),
        every("every net is lost far above it", far["lost"], "nets"),
        bounded("share of the loss that tiny rates keep", slow["kept"], least=finding.threshold("stalled_keeps")),
        bounded("share that the best rate keeps, at every depth and seed", best, below=finding.threshold("trained_below")),
    ]
    over = geometric_mean(borders["border"] / borders["limit"])
    within = float(finding.threshold("border_within"))
    caveat = "" if 1 / within <= over.value <= within else f"nets are lost only above {over.value:.2g} times 2/λ"
    judgement = finding.verdict(conditions, caveat=caveat)
    reason = (
        f"Lost: {int(safe['lost'].sum())} of {len(safe)} nets at or below 2/λ, {int(far['lost'].sum())} of {len(far)} above the largest "
        f"limit known for nets; the border lies at {over.value:.3g} times 2/λ (geometric mean over all nets). Nets with a "
        f"tiny lr keep at least {100 * slow['kept'].min():.3g} % of their loss, the best lr ends at {100 * best.max():.2g} % or less."
    )
    return Estimate(
        judgement,
        reason + (f" Caveat: {caveat}." if judgement.verdict == "caveat" and caveat else ""),
        quantity=f"largest lr that trains ÷ (2/λ) at depth {shown['depth']:.0f}",
        published=float(finding.values["border"]),
        theory=1.0,
        measured=float(shown["ratio"]),
        low=float(shown["ratio_low"]),
        high=float(shown["ratio_high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the geometric mean; the lr axis goes in factors of two",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "map": _map(nets)},
    )


def _nets(tables: Results, curvature: Results) -> pd.DataFrame:
    """Return one row a run: lr, the limit 2/λ of that depth and seed, lr in units of it, the share of the loss kept, lost or not."""
    start = tables.steps[tables.steps["step"] == 0].set_index("run_id")["loss"]
    sharpness = curvature.steps[curvature.steps["step"] == 0].set_index("run_id")["sharpness"]
    limits = curvature.runs.assign(limit=[step_size_limit(sharpness[run]) for run in curvature.runs["run_id"]])
    nets = tables.runs[["run_id", "depth", "seed", "lr", "status", "final_loss"]].merge(
        limits[["depth", "seed", "limit"]], on=["depth", "seed"]
    )
    nets["rate"] = nets["lr"] / nets["limit"]
    nets["kept"] = nets["final_loss"] / nets["run_id"].map(start)
    nets["lost"] = (nets["status"] == "diverged") | ~(nets["kept"] < 1)
    return nets


def _index(nets: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(nets[["depth", "seed"]].drop_duplicates())


def _borders(nets: pd.DataFrame) -> pd.DataFrame:
    """Return one row a depth and seed: the lr halfway, on the log scale, to the smallest that loses the net, or NaN."""
    rows = []
    for (depth, seed), group in groups(nets, ["depth", "seed"]):
        group = group.sort_values("lr")
        rates, lost = group["lr"].to_numpy(), group["lost"].to_numpy()
        first = int(lost.argmax())
        border = np.sqrt(rates[first - 1] * rates[first]) if lost.any() and first else np.nan
        rows.append({"depth": depth, "seed": seed, "border": border, "limit": group["limit"].iloc[0]})
    return pd.DataFrame(rows)


def _numbers(borders: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (depth,), group in groups(borders, ["depth"]):
        border, ratio = geometric_mean(group["border"]), geometric_mean(group["border"] / group["limit"])
        rows.append({
            "depth": depth, "theory": geometric_mean(group["limit"]).value, "measured": border.value, "low": border.low,
            "high": border.high, "ratio": ratio.value, "ratio_low": ratio.low, "ratio_high": ratio.high, "n": border.n,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _map(nets: pd.DataFrame) -> pd.DataFrame:
    """Return one row a depth and lr: median share of the loss that is left, at most 1, and whether at least half of the nets are lost."""
    rows = []
    for (depth, lr), group in groups(nets, ["depth", "lr"]):
        kept = group["kept"].where(~group["lost"], 1.0)
        rows.append({"depth": depth, "lr": lr, "kept": min(float(kept.median()), 1.0), "lost": float(group["lost"].mean()) >= 0.5})
    return pd.DataFrame(rows)
