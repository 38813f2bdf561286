"""Nielsen's stored norms of δ before training, against many draws of the same net."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import stats

from experiments.findings.conditions import bounded, every
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, layers_at
from experiments.findings.intervals import bootstrap
from experiments.store.tables import Results


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare every published norm with the seeds' band, and the factor per layer with theory.

    Args:
        results: of the sweep `norms`.
        finding: with its thresholds and `values.norms`.

    Returns:
        The estimate; its numbers are the factor of the norm per layer.
    """
    tables = results["norms"]
    layers = layers_at(tables, 0, ["depth", "seed"])
    published = {int(depth): norms for depth, norms in finding.values["norms"].items()}
    numbers = _numbers(layers, published, float(finding.threshold("joint_confidence")))
    factors = layers.sort_values("layer").groupby(["seed", "depth"])["delta_mean_norm"].agg(_factor)
    per_seed = factors.groupby("seed").mean()
    factor = bootstrap(per_seed, np.median)
    theory = float(tables.runs["delta_factor_theory"].mean())
    his = float(np.mean([np.exp(np.diff(np.log(norms)).mean()) ** -1 for norms in published.values()]))
    inside = numbers["inside"].dropna().astype(bool)
    marks = numbers.loc[numbers["published"].notna(), "inside"]
    conditions = [
        every("his norms lie in the seeds' band", marks, "norms"),
        bounded("factor off theory's, relatively", abs(factor.value / theory - 1), most=finding.threshold("theory_within")),
        finite(results),
    ]
    data = _data(tables)
    reason = (
        f"On {data}: {int(inside.sum())} of his {len(inside)} norms lie in the seeds' band, at the "
        f"{numbers['percentile'].min():.0f}th to {numbers['percentile'].max():.0f}th percentile; the factor per layer is "
        f"{factor.value:.3g}, theory's {theory:.3g}."
    )
    caveat = "" if data.startswith("MNIST") else "other images than his"
    return Estimate(
        finding.verdict(conditions, caveat=caveat),
        reason,
        quantity="factor of the norm of the mean δ per hidden layer",
        published=his,
        theory=theory,
        measured=factor.value,
        low=factor.low,
        high=factor.high,
        interval=f"95 % over {factor.n} seeds, bootstrap of the median",
        n=len(tables.runs),
        tables={"numbers": numbers},
    )


def _factor(norms: "pd.Series[float]") -> float:
    """Return the geometric mean of the ratios of neighboring hidden layers, first over last."""
    return float((norms.iloc[0] / norms.iloc[-1]) ** (1 / (len(norms) - 1)))


def _data(tables: Results) -> str:
    """Say which images these are."""
    run = tables.runs.iloc[0]
    if run["data"] != "mnist":
        return "the bundled 8×8 digits, for want of MNIST files"
    file = "training" if run["data.split"] == "train" else "test"
    return f"MNIST, the first {run['data.n_samples']} images of its {file} file"


def _numbers(layers: pd.DataFrame, published: Mapping[int, list[float]], confidence: float) -> pd.DataFrame:
    """Return one row a depth and layer: the published norm, the seeds' median and prediction interval, his percentile."""
    comparisons = sum(len(norms) for norms in published.values())
    rows = []
    for (depth, layer), group in groups(layers, ["depth", "layer"]):
        norms = group["delta_mean_norm"].to_numpy()
        logs = np.log(norms)
        n = len(logs)
        quantile = stats.t.ppf(1 - (1 - confidence) / comparisons / 2, n - 1) if n > 1 else np.nan
        half = quantile * logs.std(ddof=1) * np.sqrt(1 + 1 / n) if n > 1 else np.nan
        his = published.get(int(depth), [])
        norm = his[int(layer) - 1] if len(his) >= layer else np.nan
        rows.append({
            "depth": int(depth), "layer": int(layer), "published": norm, "measured": float(np.median(norms)),
            "low": float(np.exp(logs.mean() - half)), "high": float(np.exp(logs.mean() + half)),
            "percentile": float(100 * np.mean(norms < norm)) if norm == norm else np.nan, "n": n,
        })  # fmt: skip
    frame = pd.DataFrame(rows)
    known = frame["published"].notna() & frame["low"].notna()
    frame["inside"] = ((frame["low"] <= frame["published"]) & (frame["published"] <= frame["high"])).where(known)
    return frame
