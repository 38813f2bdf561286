"""The edge of stability with Polyak's and Nesterov's momentum."""

from collections.abc import Mapping

import pandas as pd

from bpcore.theory.limits import step_size_limit
from experiments.atlas.finding import Estimate, Finding
from experiments.atlas.frames import groups
from experiments.atlas.intervals import mean
from experiments.store import Results


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Check that the sharpness rises to the limit of either method, and hovers.

    Args:
        results: of the sweeps `polyak` and `nesterov`.
        finding: with its thresholds.

    Returns:
        The estimate; its numbers are those of Polyak's momentum.
    """
    curves = pd.concat([_sharpness(results[name], name) for name in ("polyak", "nesterov")], ignore_index=True)
    numbers = _numbers(curves)
    holds = bool((numbers["start"] < finding.threshold("starts_below")).all()) and bool(
        ((numbers["measured"] - 1).abs() <= finding.threshold("hover_within")).all()
    )
    polyak = mean(numbers.loc[numbers["method"] == "polyak", "measured"])
    words = []
    for (method,), rows in groups(numbers, ["method"]):
        words.append(f"{rows['measured'].min():.4g} to {rows['measured'].max():.4g} times the limit of {str(method).capitalize()}’s method")
    return Estimate(
        finding.verdict(holds),
        f"Over the last quarter the sharpness is {' and '.join(words)}; it starts at {numbers['start'].max():.3g} times or less.",
        quantity="sharpness ÷ ((2 + 2β)/lr), Polyak, mean over the last quarter of the steps",
        published=float(finding.values["ratio"]),
        theory=1.0,
        measured=polyak.value,
        low=polyak.low,
        high=polyak.high,
        interval=f"95 % over {polyak.n} seeds, of the arithmetic mean",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "curves": curves},
    )


def _sharpness(tables: Results, method: str) -> pd.DataFrame:
    """Return the sharpness by step, in units of the method's limit and of plain gradient descent's 2/lr."""
    frame = tables.steps.merge(tables.runs[["run_id", "seed", "lr", "optimizer.beta"]], on="run_id")
    factors = [step_size_limit(1.0, beta, method == "nesterov") for beta in frame["optimizer.beta"]]
    frame["measured"] = frame["sharpness"] * frame["lr"] / factors
    frame["plain"] = frame["sharpness"] * frame["lr"] / 2
    return frame.assign(method=method)[["method", "seed", "lr", "step", "measured", "plain"]]


def _numbers(curves: pd.DataFrame) -> pd.DataFrame:
    """Return one row a net: sharpness at the start, and on average, smallest and largest in the last quarter."""
    rows = []
    for (method, seed), curve in groups(curves, ["method", "seed"]):
        curve = curve.sort_values("step")
        late = curve[curve["step"] >= 0.75 * curve["step"].max()]
        rows.append({
            "method": method, "seed": seed, "lr": curve["lr"].iloc[0], "start": curve["measured"].iloc[0], "published": 1.0,
            "measured": late["measured"].mean(), "low": late["measured"].min(), "high": late["measured"].max(), "times_2_over_lr": late["plain"].mean(),
        })  # fmt: skip
    return pd.DataFrame(rows)
