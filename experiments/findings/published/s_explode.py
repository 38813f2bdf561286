"""Exploding gradients: the factor of ‖δ‖ per layer against the scale of the weights, and growth with depth."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import Condition, bounded, every
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.findings.intervals import geometric_mean, mean
from experiments.store.tables import Results

SETTLED_FROM = 6
"""First hidden layer at which the variance of z has come near its fixed point; the factor is taken from there to the last."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Find the scale at which δ begins to grow, and how it grows with depth beyond it.

    Args:
        results: of the sweep `scales`.
        finding: with its thresholds and `values.crossing`.

    Returns:
        The estimate; its numbers are the critical σ_w of tanh, the one that is no round number.
    """
    tables = results["scales"]
    runs = _ends(tables)
    deepest = runs[runs["depth"] == runs["depth"].max()]
    factors = _factors(deepest)
    numbers = _crossings(deepest, finding.values["crossing"])
    growth = _growth(runs[runs["scale"] == runs["scale"].max()])
    off = (numbers["measured"] / numbers["published"] - 1).abs()
    missing = [name for name in finding.values["crossing"] if name not in set(numbers["activation"])]
    grows = [
        bool(lower > upper)
        for _, rows in growth.groupby("activation")
        for lower, upper in zip(rows["low"].iloc[1:], rows["high"].iloc[:-1], strict=True)
    ]
    conditions = [
        bounded("borders off the published, relatively", off, most=finding.threshold("crossing_within")),
        Condition("every published border is measured", not missing, f"without: {', '.join(missing) or 'none'}"),
        every("a deeper net's growth lies above the shallower one's", grows, "pairs of depths"),
        finite(results),
    ]
    least = growth[growth["depth"] == growth["depth"].max()]["measured"].min()
    tanh = numbers[numbers["activation"] == "tanh"].iloc[0]
    return Estimate(
        finding.verdict(conditions),
        f"The factor passes 1 at σ_w = {', '.join(f'{row.measured:.4g} ({row.activation})' for row in numbers.itertuples())}, within "
        f"{100 * off.max():.2g} % of the published; at σ_w = {runs['scale'].max():g} δ grows at least {least:.3g}× over "
        f"{runs['depth'].max()} layers, {'more the deeper the net' if all(grows) else 'but not more in every deeper net'}.",
        quantity="σ_w at which δ begins to grow, tanh, σ_b² = .05",
        published=float(tanh["published"]),
        theory=float(tanh["theory"]),
        measured=float(tanh["measured"]),
        low=float(tanh["low"]),
        high=float(tanh["high"]),
        interval=f"95 % over {tanh['n']:.0f} seeds, of the mean",
        n=len(tables.runs),
        tables={"numbers": numbers, "factors": factors, "growth": growth},
    )


def _ends(tables: Results) -> pd.DataFrame:
    """Return one row a run: its setting, growth ‖δ^1‖/‖δ^D‖, and the settled factor per layer with theory's."""
    at_start = tables.layers[tables.layers["step"] == 0].set_index(["run_id", "layer"])
    rows = []
    for run in tables.runs.to_dict("records"):
        depth = int(run["depth"])
        row = {"activation": run["activation"], "scale": float(run["init.scale"]), "depth": depth, "seed": run["seed"]}
        for name, column in (("factor", "delta_norm"), ("theory", "delta_norm_theory")):
            norms = at_start.loc[run["run_id"], column]
            row[name] = float((norms[SETTLED_FROM] / norms[depth]) ** (1 / (depth - SETTLED_FROM)))
            row["growth" if name == "factor" else "growth_theory"] = float(norms[1] / norms[depth])
        rows.append(row)
    return pd.DataFrame(rows)


def _factors(runs: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (activation, scale), group in groups(runs, ["activation", "scale"]):
        factor = geometric_mean(group["factor"])
        rows.append({
            "activation": activation, "scale": scale, "theory": group["theory"].mean(), **factor.row(),
        })  # fmt: skip
    return pd.DataFrame(rows)


def crossing(scales: "pd.Series[float]", factors: "pd.Series[float]") -> float:
    """Return the scale at which a factor passes 1 from below, by linear interpolation of logarithms; NaN where it does not."""
    order = np.argsort(scales.to_numpy())
    x, y = np.log(scales.to_numpy()[order]), np.log(factors.to_numpy()[order])
    passes = np.flatnonzero((y[:-1] < 0) & (y[1:] >= 0))
    if len(passes) == 0:
        return float("nan")
    i = passes[0]
    return float(np.exp(x[i] - y[i] * (x[i + 1] - x[i]) / (y[i + 1] - y[i])))


def _crossings(runs: pd.DataFrame, published: Mapping[str, float]) -> pd.DataFrame:
    rows = []
    for (activation,), group in groups(runs, ["activation"]):
        each = mean([crossing(rows["scale"], rows["factor"]) for _, rows in group.groupby("seed")])
        theory = group.groupby("scale", as_index=False)["theory"].mean()
        rows.append({
            "activation": activation, "published": published.get(str(activation), np.nan),
            "theory": crossing(theory["scale"], theory["theory"]),
            **each.row(),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _growth(runs: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (activation, depth), group in groups(runs, ["activation", "depth"]):
        ratio = geometric_mean(group["growth"])
        rows.append({
            "activation": activation, "depth": depth, "theory": group["growth_theory"].mean(), **ratio.row(),
        })  # fmt: skip
    return pd.DataFrame(rows)
