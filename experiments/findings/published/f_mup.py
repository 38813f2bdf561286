"""How Adam's first step grows with width, and how the best learning rate moves, under the standard parametrization and under μP."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded, every
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.findings.intervals import geometric_mean, mean
from experiments.store.tables import Results

KINDS = ("standard", "mup")
FIRST = 2
"""The first layer that is looked at: layer 1's inputs have a width of their own."""

ENDS = (32, 512)
"""Widths whose best learning rates are compared."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare slopes of the first step with the published, and the learning rates that are best.

    Args:
        results: of the sweep `steps`, with snapshots before and after an update, and of `standard` and `mup`, over learning rates.
        finding: with its thresholds and, under `values`, the published slopes.

    Returns:
        The estimate; its numbers are the slope of the output under μP.
    """
    changes = _changes(results["steps"])
    numbers = _slopes(changes, finding.values["slopes"])
    losses = pd.concat([_losses(results[kind].runs).assign(parametrization=kind) for kind in KINDS], ignore_index=True)
    best = _best(losses)
    flat, steep = (numbers.loc[numbers["parametrization"] == kind, "measured"] for kind in reversed(KINDS))
    falling, staying = (best[best["parametrization"] == kind].set_index("width") for kind in KINDS)
    falls = falling["measured"].get(ENDS[0], np.nan) / falling["measured"].get(ENDS[1], np.nan)
    stays = staying["measured"].max(skipna=False) / staying["measured"].min(skipna=False) if len(staying) else np.nan
    conditions = [
        bounded("slopes under μP, in size", flat.abs(), most=finding.threshold("flat")),
        bounded("slopes under the standard parametrization", steep, least=finding.threshold("steep")),
        bounded("best lr at width 32 over that at 512, standard", falls, least=finding.threshold("falls")),
        bounded("largest best lr over the smallest, μP", stays, most=finding.threshold("stays")),
        every("best lr under μP inside of the grid", staying["inside"], "widths"),
        finite(results),
    ]
    shown = numbers[numbers["parametrization"] == "mup"].iloc[-1]
    says = "; ".join(
        f"{name} slopes {', '.join(f'{slope:.2f}' for slope in slopes)}, best lr {', '.join(f'{rate:.3g}' for rate in rates)}"
        for name, slopes, rates in (("standard", steep, falling["measured"]), ("μP", flat, staying["measured"]))
    )
    return Estimate(
        finding.verdict(conditions),
        f"In layers 2, 3 and the output, and at widths 32, 128, 512: {says}.",
        quantity="slope of ln rms Δz of the output in ln n, Adam's first step under μP",
        published=float(shown["published"]),
        theory=0.0,
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "changes": _over_seeds(changes), "losses": losses, "best": best},
    )


def _changes(tables: Results) -> pd.DataFrame:
    """Return one row a net and layer: rms of z after the update less z before."""
    rows, by = [], ["parametrization", "width", "seed"]
    for (kind, width, seed), group in groups(tables.runs, by):
        name = group.set_index("record.snapshot")["run_id"]
        if not {0, 1} <= set(name.index):
            continue
        with np.load(tables.path / f"snapshot_{name[0]}.npz") as before, np.load(tables.path / f"snapshot_{name[1]}.npz") as after:
            for l in range(FIRST, int(group["depth"].iloc[0]) + 2):
                change = float(np.sqrt(np.mean((after[f"z{l}"].astype(float) - before[f"z{l}"]) ** 2)))
                rows.append({"parametrization": kind, "width": int(width), "seed": seed, "layer": l, "change": change})
    return pd.DataFrame(rows, columns=[*by, "layer", "change"])


def _over_seeds(changes: pd.DataFrame) -> pd.DataFrame:
    by = ["parametrization", "layer", "width"]
    return pd.DataFrame([
        {**dict(zip(by, values, strict=True)), **geometric_mean(group["change"]).row()} for values, group in groups(changes, by)
    ])  # fmt: skip


def _slopes(changes: pd.DataFrame, published: Mapping[str, list[float]]) -> pd.DataFrame:
    """Return one row a parametrization and layer: the published slope, and the mean over seeds of that of a line through the widths."""
    rows = []
    for kind in KINDS:
        for (layer,), group in groups(changes[changes["parametrization"] == kind], ["layer"]):
            slopes = [_slope(own["width"], own["change"]) for _, own in group.groupby("seed")]
            rows.append({"parametrization": kind, "layer": layer, "published": published[kind][layer - FIRST], **mean(slopes).row()})
    return pd.DataFrame(rows)


def _slope(width: "pd.Series[int]", change: "pd.Series[float]") -> float:
    x = np.log(width.to_numpy(dtype=float))
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.log(change.to_numpy(dtype=float))
    centered = x - x.mean()
    return float(centered @ y / (centered @ centered)) if len(x) > 1 else np.nan


def _losses(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row a width and learning rate: the mean loss that the nets end with."""
    plain = runs.assign(width=runs["width"].astype(int), lr=runs["lr"].astype(float))
    return plain.groupby(["width", "lr"])["final_loss"].mean().reset_index(name="measured")


def _best(losses: pd.DataFrame) -> pd.DataFrame:
    """Return one row a parametrization and width: the best learning rate, and whether the grid goes on on both sides."""
    rows = []
    for kind in KINDS:
        for (width,), cell in groups(losses[losses["parametrization"] == kind], ["width"]):
            known = cell.dropna(subset=["measured"])
            rate = float(known["lr"].iloc[int(known["measured"].argmin())]) if len(known) else np.nan
            inside = bool(cell["lr"].min() < rate < cell["lr"].max())
            rows.append({"parametrization": kind, "width": width, "measured": rate, "inside": inside})
    return pd.DataFrame(rows)
