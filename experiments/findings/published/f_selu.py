"""SELU's fixed point of mean and variance, and how fast it attracts."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bpcore.activations import selu
from bpcore.theory import moment_jacobian, moment_map
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, layers_at
from experiments.findings.intervals import mean
from experiments.statistics.intervals import Interval
from experiments.store.tables import Results

MOMENTS = ("a_mean", "a_var")


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Estimate two entries of the map's Jacobian, and where mean and variance end up.

    Args:
        results: of the sweeps `slopes` and `attraction`.
        finding: with its thresholds, `values.mean_slope` and `values.variance_slope`.

    Returns:
        The estimate; its numbers are the slope of the variance.
    """
    measured = _slopes(results["slopes"])
    jacobian = moment_jacobian(selu(), 0.0, 1.0)
    published = (float(finding.values["mean_slope"]), float(finding.values["variance_slope"]))
    rows = [
        {
            "slope": f"∂{name}/∂variance", "published": value, "theory": float(exact), **slope.row(),
        }
        for name, value, exact, slope in zip(("mean", "variance"), published, jacobian[:, 1], measured, strict=True)
    ]  # fmt: skip
    numbers = pd.DataFrame(rows)
    profile = _profile(results["attraction"])
    ends = profile[profile["layer"] == profile["layer"].max()]
    target = {"a_mean": 0.0, "a_var": 1.0}
    off = (ends["measured"] - ends["quantity"].map(target)).abs()
    near = (numbers["measured"] / numbers["published"] - 1).abs()
    conditions = [
        bounded("slopes as published, relatively", near, most=finding.threshold("slope_within")),
        bounded("moments of the deepest layer off (0, 1)", off, most=finding.threshold("fixed_within")),
        finite(results),
    ]
    shown = numbers.iloc[1]
    return Estimate(
        finding.verdict(conditions),
        f"The slopes of mean and variance are {measured[0].value:.4f} and {measured[1].value:.4f}; after "
        f"{ends['layer'].max():.0f} layers mean and "
        f"variance are within {off.max():.2g} of (0, 1), wherever they began.",
        quantity="slope of a layer's variance with that of its z",
        published=published[1],
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the arithmetic mean",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "profile": profile},
    )


def _slopes(tables: Results) -> tuple[Interval, Interval]:
    """Return the slopes of mean and variance of a with the variance of z in the first layer, seed by seed between its two inputs.

    Both nets of a seed have the same weights, so that chance cancels in the difference.
    """
    rows = layers_at(tables, 0, ["seed", "data.x"])
    first = rows[rows["layer"] == 1].sort_values("data.x").groupby("seed")
    change = first[["z_var", *MOMENTS]].last() - first[["z_var", *MOMENTS]].first()
    slope_mean, slope_variance = (mean(change[name] / change["z_var"]) for name in MOMENTS)
    return slope_mean, slope_variance


def _profile(tables: Results) -> pd.DataFrame:
    """Return one row an input variance, moment and layer: the mean over seeds with its interval, and theory's."""
    layers = layers_at(tables, 0, ["data.x"])
    rows = []
    for (x,), group in groups(layers, ["data.x"]):
        variance = round(x**2, 6)
        predicted = _flow(variance, int(group["layer"].max()))
        for (layer,), at in groups(group, ["layer"]):
            for place, name in enumerate(MOMENTS):
                value = mean(at[name])
                rows.append({
                    "start": variance, "quantity": name, "layer": int(layer), "measured": value.value, "low": value.low, "high": value.high,
                    "theory": predicted[int(layer) - 1][place], "n": value.n,
                })  # fmt: skip
    return pd.DataFrame(rows)


def _flow(variance: float, layers: int) -> list[tuple[float, float]]:
    """Return mean and variance of a by layer, the variance of z^1 given; z has variance ν + μ², its weights being independent."""
    flow, q = [], variance
    for _ in range(layers):
        moments = moment_map(selu(), 0.0, q)
        flow.append(moments)
        q = float(np.square(moments[0]) + moments[1])
    return flow
