"""The edge of stability with Polyak's and Nesterov's momentum."""

from collections.abc import Mapping

import pandas as pd

from bpcore.theory.limits import step_size_limit
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import groups, steps_beside
from experiments.findings.intervals import mean
from experiments.store.tables import Results

SHOWN_BETA = 0.5
"""Whose number the summary shows."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Check that the sharpness rises to the limit of either method, and hovers.

    Args:
        results: of the sweeps `polyak` (β = .9), `polyak_half` (β = .5) and `nesterov`.
        finding: with its thresholds.

    Returns:
        The estimate; its numbers are those of Polyak's momentum with β = SHOWN_BETA.
    """
    curves = pd.concat([_sharpness(tables, name.removesuffix("_half")) for name, tables in results.items()], ignore_index=True)
    numbers = _numbers(curves)
    conditions = []
    for name in results:  # a method of which no net came through decides nothing
        half = name.endswith("_half")
        own = numbers[(numbers["method"] == name.removesuffix("_half")) & ((numbers["beta"] == SHOWN_BETA) == half)]
        net = f"{name.removesuffix('_half').capitalize()}, β = {'.5' if half else '.9'}"
        conditions += [
            bounded(f"{net}: starts below the limit", own["start"], below=finding.threshold("starts_below")),
            bounded(f"{net}: distance from the limit", (own["measured"] - 1).abs(), most=finding.threshold("hover_within")),
        ]
    polyak = mean(numbers.loc[(numbers["method"] == "polyak") & (numbers["beta"] == SHOWN_BETA), "measured"])
    words = []
    for (method, beta), rows in groups(numbers, ["method", "beta"]):
        through = rows["measured"].dropna()
        lost = f"; {int(rows['diverged'].sum())} of {len(rows)} nets diverged" if rows["diverged"].any() else ""
        range_ = f"{through.min():.3g} to {through.max():.3g}" if len(through) else "none"
        words.append(f"{str(method).capitalize()}, β = {beta:g}: {range_}{lost}")
    return Estimate(
        finding.verdict(conditions),
        f"Mean sharpness over the last quarter ÷ the method's limit. {'. '.join(words)}. It starts at "
        f"{numbers['start'].max():.3g} or less.",
        quantity=f"sharpness ÷ ((2 + 2β)/lr), Polyak, β = {SHOWN_BETA:g}, mean over the last quarter of the steps",
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
    frame = steps_beside(tables, ["seed", "lr", "optimizer.beta", "status"])
    frame = frame.rename(columns={"optimizer.beta": "beta"})
    factors = [step_size_limit(1.0, beta, method == "nesterov") for beta in frame["beta"]]
    frame["measured"] = frame["sharpness"] * frame["lr"] / factors
    frame["plain"] = frame["sharpness"] * frame["lr"] / 2
    frame["diverged"] = frame["status"] == "diverged"
    return frame.assign(method=method)[["method", "beta", "seed", "lr", "step", "measured", "plain", "diverged"]]


def _numbers(curves: pd.DataFrame) -> pd.DataFrame:
    """Return one row a net: sharpness at the start, and on average, smallest and largest in the last quarter; none where it diverged."""
    rows = []
    for (method, beta, seed), curve in groups(curves, ["method", "beta", "seed"]):
        curve = curve.sort_values("step")
        diverged = bool(curve["diverged"].any())
        late = curve[(curve["step"] >= 0.75 * curve["step"].max()) & ~curve["diverged"]]
        rows.append({
            "method": method, "beta": beta, "seed": seed, "lr": curve["lr"].iloc[0], "start": curve["measured"].iloc[0], "published": 1.0,
            "measured": late["measured"].mean(), "low": late["measured"].min(), "high": late["measured"].max(),
            "times_2_over_lr": late["plain"].mean(),
            "diverged": diverged,
        })  # fmt: skip
    return pd.DataFrame(rows)
