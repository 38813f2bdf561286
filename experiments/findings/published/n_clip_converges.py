"""Whether clipped gradient descent converges at any learning rate: a popular claim."""

from collections.abc import Mapping

import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite
from experiments.store.tables import Results

SETTLED = 10
"""Steps at the end that are looked at."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Follow |w| to the end, below the rate 2 and above it.

    Args:
        results: of the sweeps `below`, `half` and `one`.
        finding: with its thresholds and the published sum.

    Returns:
        The estimate; its numbers are |w_t| + |w_(t+1)| at the end of the runs of the sweep `half`.
    """
    paths = pd.concat([_paths(tables).assign(sweep=name) for name, tables in results.items()], ignore_index=True)
    last = paths[paths["step"] > paths["step"].max() - SETTLED]
    numbers = last.groupby(["sweep", "lr", "threshold", "start"], as_index=False).agg(
        theory=("product", "first"), measured=("sum", "mean"), low=("sum", "min"), high=("sum", "max"), size=("size", "max")
    )
    under, over = numbers[numbers["sweep"] == "below"], numbers[numbers["sweep"] != "below"]
    arrived = finding.threshold("arrived")
    ends = (over[["low", "high"]].div(over["theory"], axis=0) - 1).abs()
    half = numbers[numbers["sweep"] == "half"]
    conditions = [bounded("|w| at the end, at every rate", numbers["size"], below=arrived), finite(results)]
    against = [
        bounded("|w| at the end, below the rate 2", under["size"], below=arrived),
        bounded("|w_t| + |w_(t+1)| off ηc above it, relatively", ends, most=finding.threshold("sum_within")),
    ]
    return Estimate(
        finding.verdict(conditions, against),
        f"Below the rate 2 all {len(under)} runs arrive; above it |w_t| + |w_(t+1)| ends at "
        f"{', '.join(f'{value:.6g}' for value in sorted(set(over['measured'].round(9))))}, for ever.",
        quantity="|w_t| + |w_(t+1)| at the end, η = 2.5, c = .5",
        published=float(finding.values["sum"]),
        theory=float(half["theory"].mean()),
        measured=float(half["measured"].mean()),
        low=float(half["low"].min()),
        high=float(half["high"].max()),
        interval="smallest to largest over starts and the last steps",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "paths": paths[(paths["step"] <= SHOWN_STEPS) & (paths["sweep"] != "below")]},
    )


SHOWN_STEPS = 20
"""Of the paths, in the figure."""


def _paths(tables: Results) -> pd.DataFrame:
    """Return |w_t|, |w_(t−1)| + |w_t| and ηc of every run and step but the first."""
    settings = ["lr", "clip.threshold", "init.scale"]
    layers = (
        tables.layers[tables.layers["layer"] == 1].merge(tables.runs[["run_id", *settings]], on="run_id").sort_values(["run_id", "step"])
    )
    before = layers.groupby("run_id")["weight_norm"].shift(1)
    frame = pd.DataFrame({
        "step": layers["step"], "lr": layers["lr"].astype(float), "threshold": layers["clip.threshold"].astype(float),
        "start": layers["init.scale"].astype(float), "size": layers["weight_norm"], "sum": before + layers["weight_norm"],
    })  # fmt: skip
    return frame.assign(product=frame["lr"] * frame["threshold"])[layers["step"] > 0]
