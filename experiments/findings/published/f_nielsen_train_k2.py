"""Whether the first of two hidden layers always learns more slowly than the second."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings import intervals
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.store.tables import Results


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Count the nets in which the first hidden layer comes to learn at least as fast as the second in some epoch.

    Args:
        results: of the sweep `training`; a step is an epoch.
        finding: with its threshold and `values.ratios`, by epoch.

    Returns:
        The estimate; its numbers are the share of such nets.
    """
    tables = results["training"]
    ratios = _ratios(tables)
    lowest = ratios.groupby("seed")["measured"].min()
    broken = intervals.share(lowest <= 1)
    share = float((ratios["measured"] <= 1).mean())
    published = pd.DataFrame({"step": finding.values["ratios"].keys(), "published": finding.values["ratios"].values()}).astype(float)
    rows = []
    for epoch, his in published[["step", "published"]].to_numpy():
        ours = ratios.loc[ratios["step"] == epoch, "measured"]
        if len(ours):
            rows.append({
                "epoch": int(epoch), "published": his, "measured": float(np.exp(np.log(ours).mean())),
                "low": ours.min(), "high": ours.max(),
                "n": len(ours),
            })  # fmt: skip
    name = "share of nets in which the order breaks"
    conditions = [bounded(name, broken.value, most=0), finite(results)]
    epochs = int(ratios["step"].max())
    return Estimate(
        finding.verdict(conditions, against=[bounded(name, broken.value, least=finding.threshold("broken_in"))]),
        f"In {int((lowest <= 1).sum())} of {len(lowest)} nets the first hidden layer learns at least as fast as the second "
        f"in some of {epochs} epochs, in all in "
        f"{100 * share:.3g} % of the recorded ones; the smallest ratio is {lowest.min():.3g}.",
        quantity="share of nets with 2 hidden layers in which the order breaks",
        published=0.0,
        measured=broken.value,
        low=broken.low,
        high=broken.high,
        interval=f"95 % over {broken.n} seeds, Wilson",
        n=len(tables.runs),
        tables={"numbers": pd.DataFrame(rows), "ratios": ratios, "published": published},
    )


def _ratios(tables: Results) -> pd.DataFrame:
    """Return one row a net and epoch: the norm of the mean δ, last over first hidden layer."""
    layers = tables.layers.merge(tables.runs[["run_id", "depth", "seed"]], on="run_id")
    hidden = layers[(layers["layer"] >= 1) & (layers["layer"] <= layers["depth"])]
    rows = []
    for (seed, step), group in groups(hidden, ["seed", "step"]):
        norms = group.sort_values("layer")["delta_mean_norm"].to_numpy()
        rows.append({"seed": seed, "step": step, "measured": norms[-1] / norms[0]})
    return pd.DataFrame(rows)
