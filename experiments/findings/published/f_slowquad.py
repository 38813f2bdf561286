"""The slow start of a badly wrong sigmoid neuron, with the quadratic and the cross-entropy cost."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import expit

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite
from experiments.store.tables import Results


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the outputs with the published ones, and the gradients at the start with each other.

    Args:
        results: of the sweeps `mild` and `bad`, and both with `_cross_entropy`.
        finding: with its thresholds and `values.outputs`.

    Returns:
        The estimate; its numbers are the output after the last epoch from the bad start.
    """
    curves = pd.concat([_curve(tables) for tables in results.values()], ignore_index=True)
    published = {float(weight): outputs for weight, outputs in finding.values["outputs"].items()}
    epochs = int(finding.threshold("epochs"))
    numbers = _numbers(curves, published, epochs)
    known = numbers.dropna(subset="published")
    off = float((known["measured"] - known["published"]).abs().max(skipna=False))
    start = numbers[numbers["epoch"] == 0].set_index(["cost", "weight"])["delta"]
    mild, bad = min(published), max(published)
    of_bad = numbers[(numbers["cost"] == "quadratic") & (numbers["weight"] == bad)].set_index("epoch")["measured"]
    left = float(of_bad[epochs] / of_bad[0])
    quadratic = float(start["quadratic", bad] / start["quadratic", mild])
    entropy = float(start["cross-entropy", bad] / start["cross-entropy", mild])
    conditions = [
        bounded("outputs off the published", (known["measured"] - known["published"]).abs(), most=finding.threshold("rounding")),
        bounded(f"share of the bad start's output left after {epochs} epochs", left, least=finding.threshold("still")),
        bounded("gradient, bad ÷ mild start, quadratic cost", quadratic, below=1),
        bounded("gradient, bad ÷ mild start, cross-entropy", entropy, above=1),
        finite(results),
    ]
    last = known.iloc[-1]
    return Estimate(
        finding.verdict(conditions),
        f"The outputs differ from the published by at most {off:.2g}; after {epochs} epochs {100 * left:.3g} % of the bad "
        f"start's output is "
        f"left. Its gradient is {quadratic:.2g} times the mild start's with the quadratic cost, {entropy:.3g} with the cross-entropy.",
        quantity=f"output after {last['epoch']:.0f} epochs from (w, b) = (2, 2), quadratic cost",
        published=float(last["published"]),
        measured=float(last["measured"]),
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "curves": curves},
    )


def _curve(tables: Results) -> pd.DataFrame:
    """Return one row an epoch: cost, starting weight, output of the neuron, |δ|."""
    run = tables.runs.iloc[0]
    rows = tables.layers[tables.layers["layer"] == 1].sort_values("step")
    quadratic = run["loss"] == "mse"
    output = rows["a_mean"] if quadratic else expit(rows["a_mean"].astype(float))  # the cross-entropy takes the logit
    return pd.DataFrame({
        "cost": "quadratic" if quadratic else "cross-entropy", "weight": float(run["init.scale"]), "epoch": rows["step"].astype(int),
        "measured": output.astype(float), "delta": rows["delta_norm"].astype(float),
    })  # fmt: skip


def _numbers(curves: pd.DataFrame, published: Mapping[float, list[float]], epochs: int) -> pd.DataFrame:
    last = int(curves["epoch"].max())
    rows = curves[curves["epoch"].isin([0, epochs, last])].copy()
    known = {(weight, epoch): output for weight, outputs in published.items() for epoch, output in zip((0, last), outputs, strict=True)}
    places = zip(rows["cost"], rows["weight"], rows["epoch"], strict=True)
    rows["published"] = [known.get((weight, epoch), np.nan) if cost == "quadratic" else np.nan for cost, weight, epoch in places]
    order = ["cost", "weight", "epoch", "published", "measured", "delta"]
    return rows.sort_values(["cost", "weight", "epoch"], ignore_index=True)[order]
