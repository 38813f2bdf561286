"""The share of active ReLU units that one step on one example kills."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bpcore.arrays import FloatArray
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.findings.intervals import mean
from experiments.store.tables import Results

SHOWN = 1.0
"""The learning rate whose share the summary shows."""

HE = 2.0
"""σ_w² and σ_v² of He's initialization."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the share of active units that are dead after the step with the formula.

    Args:
        results: of the sweep `nets`, of one step each.
        finding: with its thresholds and `values.shares`.

    Returns:
        The estimate; its numbers are those of SHOWN.
    """
    tables = results["nets"]
    numbers, within = _numbers(tables, finding.values["shares"]), finding.threshold("share_within")
    conditions = [
        bounded("share off the formula", (numbers["measured"] - numbers["theory"]).abs(), most=within),
        bounded("share off the published", (numbers["measured"] - numbers["published"]).abs(), most=within),
        bounded("shares", numbers["measured"], most=finding.threshold("never_above")),
        bounded("learning rates that were tried", len(numbers), least=2),
        finite(results),
    ]
    shown = numbers[numbers["lr"] == SHOWN].iloc[0]
    says = ", ".join(f"{row['measured']:.3g} at η = {row['lr']:g} ({row['theory']:.3g})" for row in numbers.to_dict("records"))
    return Estimate(
        finding.verdict(conditions),
        f"Share of active units killed by one step (formula): {says}.",
        quantity=f"share of active units that one step kills, η = {SHOWN:g}",
        published=float(shown["published"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds",
        n=len(tables.runs),
        tables={"numbers": numbers},
    )


def _numbers(tables: Results, published: Mapping[float, float]) -> pd.DataFrame:
    """Return one row a learning rate: the share published, by the formula, and measured with its interval."""
    layers = tables.layers[tables.layers["layer"] == 1].pivot_table("dead", "run_id", "step", dropna=False)
    loss = tables.steps[tables.steps["step"] == 0].set_index("run_id")["loss"]
    rows = []
    for (lr,), group in groups(tables.runs, ["lr"]):
        ids, first = group["run_id"], group.iloc[0]
        killed = (layers.loc[ids, 1] - layers.loc[ids, 0]) / (1 - layers.loc[ids, 0])
        n_0, K, n = (int(first[name]) for name in ("data.n_features", "data.n_classes", "width"))
        square = n_0 * group.set_index("run_id")["input_rms"].astype(float) ** 2  # ‖x‖²
        error = np.sqrt(2 * loss[ids].to_numpy(dtype=np.float64))
        formula = _share(float(lr), error, np.asarray(square.loc[ids], dtype=np.float64), n, n_0, K)
        rows.append({"lr": float(lr), "published": published[float(lr)], "theory": float(formula.mean()), **mean(killed).row()})
    return pd.DataFrame(rows)


def _share(lr: float, error: FloatArray, square: FloatArray, n: int, n_0: int, K: int) -> FloatArray:
    """Return atan2(r, 1 − ρ)/π for the norms of the output's error and of the example."""
    q = HE * square / n_0
    r = lr * error * (square + 1) * np.sqrt(HE / (n * q))
    rho = lr * K * (square + 1) * HE / n
    share: FloatArray = np.arctan2(r, 1 - rho) / np.pi
    return share
