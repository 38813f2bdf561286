"""Nielsen's norms of δ over 500 epochs, with three and four hidden layers."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from experiments.findings.conditions import bounded, every
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.findings.intervals import geometric_mean
from experiments.store.tables import Results

SHOWN = (4, 100)
"""Hidden layers and epoch whose ratio the summary shows; every variant of the sweep has them."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Check the order of the layers in every epoch, and compare his ratios with the seeds' band.

    Args:
        results: of the sweep `training`; a step is an epoch.
        finding: with its thresholds and `values.ratios`, by hidden layers and epoch.

    Returns:
        The estimate; its numbers are the ratio of the last over the first hidden layer at SHOWN.
    """
    tables = results["training"]
    epochs = _epochs(tables)
    published = {int(depth): {int(epoch): ratio for epoch, ratio in by.items()} for depth, by in finding.values["ratios"].items()}
    numbers = _numbers(epochs, published, float(finding.threshold("joint_confidence")))
    kept = float(epochs["ordered"].mean())
    shown = numbers[(numbers["depth"] == SHOWN[0]) & (numbers["epoch"] == SHOWN[1])].iloc[0]
    mean = geometric_mean(epochs.loc[(epochs["depth"] == SHOWN[0]) & (epochs["step"] == SHOWN[1]), "ratio"])
    data, images = _data(tables)
    conditions = [
        bounded("share of epochs in which the layers keep their order", kept, least=finding.threshold("kept_in")),
        every("his ratios lie in the seeds' band", numbers["inside"], "ratios"),
        finite(results),
    ]
    reason = (
        f"On {data}: the layers keep their order in {100 * kept:.4g} % of {len(epochs)} recorded epochs of {len(tables.runs)} nets; "
        f"{int(numbers['inside'].sum())} of his {len(numbers)} ratios lie in the seeds' band. The norm of the mean δ and the "
        f"mean norm differ up to {epochs['apart'].max():.3g} times."
    )
    return Estimate(
        finding.verdict(conditions, caveat=images),
        reason,
        quantity=f"norm of the mean δ, last ÷ first of {SHOWN[0]} hidden layers, epoch {SHOWN[1]}",
        published=float(shown["published"]),
        measured=mean.value,
        low=mean.low,
        high=mean.high,
        interval=f"95 % over {mean.n} seeds, of the geometric mean",
        n=len(tables.runs),
        tables={"numbers": numbers, "layers": _profile(tables), "ratios": _band(epochs)},
    )


def _hidden(tables: Results) -> pd.DataFrame:
    layers = tables.layers.merge(tables.runs[["run_id", "depth", "seed"]], on="run_id")
    return layers[(layers["layer"] >= 1) & (layers["layer"] <= layers["depth"])]


def _epochs(tables: Results) -> pd.DataFrame:
    """Return one row a net and epoch: last over first norm, order of the layers, mean norm over norm of the mean."""
    rows = []
    for (depth, seed, step), group in groups(_hidden(tables), ["depth", "seed", "step"]):
        group = group.sort_values("layer")
        norms = group["delta_mean_norm"].to_numpy()
        rows.append({
            "depth": depth, "seed": seed, "step": step, "ratio": norms[-1] / norms[0], "ordered": bool((np.diff(norms) > 0).all()),
            "apart": float((group["delta_norm"] / group["delta_mean_norm"]).max()),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _numbers(epochs: pd.DataFrame, published: Mapping[int, Mapping[int, float]], confidence: float) -> pd.DataFrame:
    """Return one row a depth and published epoch that was run: his ratio, ours, and the interval in which one more seed falls."""
    known = [(depth, epoch) for depth, by in published.items() for epoch in by if (epochs["step"] == epoch).any()]
    rows = []
    for depth, epoch in known:
        logs = np.log(epochs.loc[(epochs["depth"] == depth) & (epochs["step"] == epoch), "ratio"].to_numpy())
        n = len(logs)
        half = stats.t.ppf(1 - (1 - confidence) / len(known) / 2, n - 1) * logs.std(ddof=1) * np.sqrt(1 + 1 / n) if n > 1 else np.nan
        his, low, high = published[depth][epoch], float(np.exp(logs.mean() - half)), float(np.exp(logs.mean() + half))
        rows.append({
            "depth": depth, "epoch": epoch, "published": his, "measured": float(np.exp(logs.mean())), "low": low, "high": high,
            "inside": low <= his <= high, "n": n,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _profile(tables: Results) -> pd.DataFrame:
    """Return the norm of the mean δ by depth, layer and epoch: geometric mean, smallest and largest over seeds."""
    rows = []
    for (depth, layer, step), group in groups(_hidden(tables), ["depth", "layer", "step"]):
        norms = group["delta_mean_norm"]
        rows.append(
            {"depth": depth, "layer": layer, "step": step, "measured": geometric_mean(norms).value, "low": norms.min(), "high": norms.max()}
        )
    return pd.DataFrame(rows)


def _band(epochs: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (depth, step), group in groups(epochs, ["depth", "step"]):
        ratios = group["ratio"]
        rows.append({"depth": depth, "step": step, "measured": geometric_mean(ratios).value, "low": ratios.min(), "high": ratios.max()})
    return pd.DataFrame(rows)


def _data(tables: Results) -> tuple[str, str]:
    """Say which images these are, and the caveat that follows."""
    run = tables.runs.iloc[0]
    if run["data"] != "mnist":
        return "the bundled 8×8 digits, for want of MNIST files", "other images than his"
    if run["data.split"] == "train":
        return "MNIST, the first images of its training file", ""
    return "MNIST, the first images of its test file", ""
