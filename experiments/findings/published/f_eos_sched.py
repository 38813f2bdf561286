"""Sharpness against 2/η where the learning rate follows a schedule."""

from collections.abc import Mapping

import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, present
from experiments.findings.intervals import share
from experiments.store.tables import Results

PLATEAUS = {"before the drop": ("drop", 1000, 1500), "long after it": ("drop", 2500, 3000), "after warm-up": ("warm_up", 1500, 2000)}
DROPPED = {"just after the drop": ("drop", 1500, 1700)}
COSINE = {"end of the cosine": ("cosine", 2400, 3000)}
"""What is looked at: sweep, first step, and the step before which it ends."""

SHOWN = "after warm-up"
"""The window whose mean the summary shows."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare sharpness × η/2 with 1 on plateaus, with ½ after a drop, and with 0 at the end of a cosine; count the jumps that diverge.

    Args:
        results: of the sweeps `drop`, `warm_up`, `cosine` and `jump`, with sharpness recorded.
        finding: with its thresholds and published numbers.

    Returns:
        The estimate; its numbers are those of SHOWN.
    """
    paths = {name: _path(tables) for name, tables in results.items()}
    numbers = pd.DataFrame([
        {"when": when, "kind": kind, **_window(paths[sweep], first, last)}
        for kind, windows in (("plateau", PLATEAUS), ("dropped", DROPPED), ("cosine", COSINE))
        for when, (sweep, first, last) in windows.items()
    ])  # fmt: skip
    numbers["published"] = numbers["kind"].map(finding.values)
    of = {kind: rows[["low", "high"]] for kind, rows in numbers.groupby("kind")}
    last = numbers[numbers["kind"] == "cosine"]
    jumps = share(results["jump"].runs["status"] == "diverged")
    conditions = [
        bounded("means on plateaus off 1", (of["plateau"] - 1).abs(), most=finding.threshold("plateau_within")),
        bounded("means after the drop off ½", (of["dropped"] - finding.values["dropped"]).abs(), most=finding.threshold("dropped_within")),
        bounded("largest in the last fifth of the cosine", last["largest"], below=finding.threshold("cosine_below")),
        bounded("share of the jumps that diverge", jumps.value, least=finding.threshold("jumps_least")),
        finite({name: tables for name, tables in results.items() if name != "jump"}),
        present(results),
    ]
    shown = numbers[numbers["when"] == SHOWN].iloc[0]
    says = ", ".join(f"{row['when']} {row['measured']:.3g}" for row in numbers.to_dict("records"))
    shown_paths = [path[path["seed"] == path["seed"].min()].assign(sweep=name) for name, path in paths.items()]
    return Estimate(
        finding.verdict(conditions),
        f"Sharpness × η/2: {says}; {jumps.value * jumps.n:.0f} of {jumps.n} nets whose rate is doubled at the edge diverge.",
        quantity="sharpness × η/2, mean over the last 500 steps after warm-up",
        published=float(finding.values["plateau"]),
        theory=1.0,
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval="smallest to largest net",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "paths": pd.concat(shown_paths, ignore_index=True)},
    )


def _path(tables: Results) -> pd.DataFrame:
    """Return sharpness × η_t/2 at every recorded step from which an update was made: run_id, seed, step, lr, value."""
    rows = tables.steps[tables.steps["sharpness"].notna() & tables.steps["lr"].notna()].merge(tables.runs[["run_id", "seed"]], on="run_id")
    values = rows["sharpness"] * rows["lr"] / 2
    return rows[["run_id", "seed", "step", "lr"]].assign(value=values).sort_values(["run_id", "step"])


def _window(path: pd.DataFrame, first: int, last: int) -> dict[str, float]:
    """Return the mean over nets of the means over steps, the smallest and largest net's, and the largest single value."""
    own = path[(path["step"] >= first) & (path["step"] < last)]
    means = own.groupby("run_id")["value"].mean()
    return {
        "measured": float(means.mean()), "low": float(means.min()), "high": float(means.max()), "largest": float(own["value"].max()),
        "n": len(means),
    }  # fmt: skip
