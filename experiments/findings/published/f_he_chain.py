"""By how much a ReLU layer with weights of standard deviation .01 shrinks the gradient, for the fan-ins of He's example."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.findings.intervals import bootstrap
from experiments.store.tables import Results

Array = np.ndarray[Any, np.dtype[Any]]


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the inverse factor of every fan-in, and their product, with the published ones.

    Args:
        results: of the sweep `layers`.
        finding: with its thresholds, `values.inverse`, `values.times` and `values.product`.

    Returns:
        The estimate; its numbers are the inverse product over the nine layers.
    """
    tables = results["layers"]
    at_start = tables.layers[tables.layers["step"] == 0]
    norms = at_start.pivot_table("delta_norm", "run_id", "layer")
    runs = tables.runs.assign(square=tables.runs["run_id"].map((norms[1] / norms[2]) ** 2))
    squares = runs.pivot_table("square", "seed", "width").dropna()
    published = {int(width): float(inverse) for width, inverse in finding.values["inverse"].items()}
    numbers = _numbers(runs, published)
    powers = np.array([float(finding.values["times"][width]) for width in squares.columns])
    chain = bootstrap(np.arange(len(squares)), _product_of(squares.to_numpy(), powers))
    exact = float(np.prod(numbers.set_index("width")["theory"].reindex(squares.columns) ** powers))
    product = float(finding.values["product"])
    off = (numbers["measured"] / numbers["theory"] - 1).abs()
    conditions = [
        bounded("factors as by algebra, relatively", off, most=finding.threshold("factor_within")),
        bounded("inverses off the published", (numbers["measured"] - numbers["published"]).abs(), most=finding.threshold("digit")),
        bounded("product as published, relatively", abs(chain.value / product - 1), most=finding.threshold("product_within")),
        finite(results),
    ]
    inverses = ", ".join(f"1/{value:.3g}" for value in numbers["measured"])
    return Estimate(
        finding.verdict(conditions),
        f"The factors are {inverses}; over the nine layers together the gradient shrinks {chain.value:.3g}× (by algebra {exact:.3g}×).",
        quantity="by how many times the gradient shrinks over the nine layers",
        published=product,
        theory=exact,
        measured=chain.value,
        low=chain.low,
        high=chain.high,
        interval=f"95 % over {chain.n} seeds, bootstrap of the root mean squares",
        n=len(runs),
        tables={"numbers": numbers},
    )


def _product_of(squares: Array, powers: Array) -> Callable[[Array, int], Array]:
    """Return the statistic: rows of seeds -> inverse product of the fan-ins' root mean square factors over those seeds."""

    def statistic(picks: Array, axis: int) -> Array:
        of_seeds = squares[picks.astype(int)]  # the fan-ins stand behind the axis of the seeds
        product: Array = np.prod(of_seeds.mean(axis=axis % picks.ndim) ** (-powers / 2), axis=-1)
        return product

    return statistic


def _numbers(runs: pd.DataFrame, published: Mapping[int, float]) -> pd.DataFrame:
    """Return one row a fan-in: the inverse of the root mean square over seeds of the factor, with its interval."""
    rows = []
    for (width, scale), cell in groups(runs, ["width", "init.scale"]):
        square = bootstrap(cell["square"], np.mean)
        rows.append({
            "width": int(width), "published": published.get(int(width), math.nan), "theory": 1 / math.sqrt(width * scale**2 / 2),
            "measured": square.value**-0.5, "low": square.high**-0.5, "high": square.low**-0.5, "n": square.n,
        })  # fmt: skip
    return pd.DataFrame(rows)
