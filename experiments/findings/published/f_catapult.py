"""Where gradient descent on a two-layer linear net diverges, and what becomes of it between 2/λ₀ and 4/λ₀."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded, every
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import groups, present
from experiments.store.tables import Results

PEAK_AT = 1.5
"""The learning rate at which the peak of the loss is published."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Follow loss and curvature of every net, and find the border between rates that end and rates that diverge.

    Args:
        results: of the sweeps `rates` and `widths`.
        finding: with its thresholds and published numbers.

    Returns:
        The estimate; its numbers are the border at the published sweep's width, between the rates next to it.
    """
    curvature, border = float(finding.values["curvature"]), float(finding.values["border"])
    nets = pd.concat([_nets(tables) for tables in results.values()], ignore_index=True)
    below, above = nets[nets["lr"] < border], nets[nets["lr"] > border]
    thrown, calm = below[below["lr"] > 2 / curvature], below[below["lr"] <= 2 / curvature]
    borders = pd.DataFrame([_border(rows, int(width)) for (width,), rows in groups(nets, ["width"])])
    rise = thrown["peak"] / thrown["start"]
    peaks = thrown.loc[thrown["lr"] == PEAK_AT]
    off = (peaks.groupby("width")["peak"].mean() / finding.values["peak"] - 1).abs()
    within = finding.threshold("border_within")
    conditions = [
        every("below 4/λ₀ no net diverges", ~below["diverged"], "nets"),
        every("above it every net does", above["diverged"], "nets"),
        bounded("border over 4/λ₀", borders[["low", "high"]] / border, least=1 - within, most=1 + within),
        bounded("peak over the first loss, between 2/λ₀ and 4/λ₀", rise, above=1),
        bounded(f"the same from lr {PEAK_AT:g} on", rise[thrown["lr"] >= PEAK_AT], least=finding.threshold("rises")),
        bounded("last loss over the first", below["end"] / below["start"], below=1),
        bounded("last curvature over the first, between 2/λ₀ and 4/λ₀", thrown["curvature"] / curvature, below=1),
        bounded("last curvature × lr", below["curvature"] * below["lr"], below=2),
        bounded("peak over the first loss, below 2/λ₀", calm["peak"] / calm["start"], most=1),
        bounded(f"peak at lr {PEAK_AT:g} off the published, relatively, by width", off, most=finding.threshold("peak_within")),
        present(results),
    ]
    shown = borders.iloc[(borders["width"] - 1000).abs().argmin()]
    heights = ", ".join(f"{value:.3g}" for value in peaks.groupby("width")["peak"].mean())
    return Estimate(
        finding.verdict(conditions),
        f"{int(below['diverged'].sum())} of {len(below)} nets below 4/λ₀ diverge, {int(above['diverged'].sum())} of {len(above)} above; "
        f"at lr {PEAK_AT:g} the loss peaks at {heights} at widths {', '.join(str(width) for width in borders['width'])}; curvature × lr "
        f"ends at most at {(below['curvature'] * below['lr']).max():.4g}.",
        quantity="largest learning rate that converges, λ₀ = 2",
        published=border,
        theory=4 / curvature,
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval="the rates next to the border, one that converges and one that diverges in every net",
        n=len(nets),
        tables={"numbers": borders, "nets": nets, "path": _path(results["rates"])},
    )


def _nets(tables: Results) -> pd.DataFrame:
    """Return one row a run: whether it diverged, its first, highest and last loss, and its last curvature ‖u‖² + ‖v‖²."""
    rows = []
    losses, layers = dict(list(tables.steps.groupby("run_id"))), dict(list(tables.layers.groupby("run_id")))
    for run in tables.runs.to_dict("records"):
        path = losses[run["run_id"]].sort_values("step")["loss"]
        own = layers[run["run_id"]]
        last = own[(own["step"] == own["step"].max()) & (own["layer"] >= 1)]
        rows.append({
            "width": int(run["width"]), "lr": float(run["lr"]), "seed": int(run["seed"]), "diverged": run["status"] == "diverged",
            "start": path.iloc[0], "peak": path.max(skipna=False), "end": path.iloc[-1],
            "curvature": np.nan if run["status"] == "diverged" else (last["weight_norm"] ** 2).sum(skipna=False),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _border(nets: pd.DataFrame, width: int) -> dict[str, float]:
    """Return the largest rate at which no net diverges, the smallest from which on all do, and the middle between them."""
    lost = nets.groupby("lr")["diverged"].mean()
    low, high = lost.index[lost == 0].max(), lost.index[lost == 1].min()
    return {"width": width, "measured": float(np.sqrt(low * high)), "low": float(low), "high": float(high), "n": len(nets)}


def _path(tables: Results) -> pd.DataFrame:
    """Return the losses of the first seed's nets over the first steps, at the rates that converge."""
    runs = tables.runs[(tables.runs["seed"] == tables.runs["seed"].min()) & (tables.runs["status"] != "diverged")]
    path = tables.steps.drop(columns=["lr"]).merge(runs[["run_id", "lr"]], on="run_id")
    return path.loc[path["step"] <= SHOWN_STEPS, ["lr", "step", "loss"]].reset_index(drop=True)


SHOWN_STEPS = 120
"""Of the losses, in the figure."""
