"""How many units inputs out of scale saturate, and how long Adam is on its way to a target out of scale."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import optimize, special

from bpcore import activations
from bpcore.arrays import FloatArray
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.findings.intervals import mean
from experiments.store.tables import Results

SHOWN = "tanh digits, 0 to 16"
"""The setting whose share the summary shows."""

SATURATED, TARGETS = ("gaussian", "digits"), ("target", "far_target")

LEFT = 0.1
"""Share of the loss at which a target counts as reached."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the shares of saturated units with the formula, and Adam's steps with their bound.

    Args:
        results: of the sweeps `gaussian`, `digits`, `target` and `far_target`.
        finding: with its thresholds and published numbers.

    Returns:
        The estimate; its numbers are those of SHOWN.
    """
    known, slope = finding.values["saturated"], float(finding.values["slope"])
    numbers = pd.concat([_shares(results[name], name, known, slope) for name in SATURATED], ignore_index=True)
    targets = pd.concat([_steps(results[name], finding.values["steps"]) for name in TARGETS], ignore_index=True)
    within, longer = finding.threshold("share_within"), targets["measured"] / targets["theory"]
    conditions = [
        bounded("share off the formula", (numbers["measured"] - numbers["theory"]).abs(), most=within),
        bounded("share off the published", (numbers["measured"] - numbers["published"]).abs(), most=within),
        bounded("steps over their bound", longer, least=1, most=finding.threshold("steps_within")),
        finite(results),
    ]
    shown = numbers[numbers["setting"] == SHOWN].iloc[0]
    says = ", ".join(f"{row['measured']:.0f} for S = {row['target']:g} ({row['theory']:.0f})" for row in targets.to_dict("records"))
    return Estimate(
        finding.verdict(conditions),
        f"The {len(numbers)} shares of saturated units, from {numbers['measured'].min():.3f} to {numbers['measured'].max():.3f}, are the "
        f"formula's within {(numbers['measured'] - numbers['theory']).abs().max():.2g}. Adam's steps (at least): {says}.",
        quantity="share of saturated units of layer 1, tanh, digits from 0 to 16",
        published=float(shown["published"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "targets": targets},
    )


def _shares(tables: Results, name: str, published: Mapping[str, Mapping[float, float]], slope: float) -> pd.DataFrame:
    """Return one row an activation and scale: the share of saturated units published, by the formula, and measured."""
    first = tables.layers[(tables.layers["step"] == 0) & (tables.layers["layer"] == 1)].set_index("run_id")["saturated"]
    rows = []
    for (activation, scale), group in groups(tables.runs, ["activation", "data.scale"]):
        with np.load(tables.path / f"snapshot_{group['run_id'].iloc[0]}.npz") as arrays:
            q = (arrays["x"] ** 2).mean(axis=0)
        words = f"0 to {scale:g}" if name == "digits" else f"√q = {scale:g}"
        rows.append({
            "setting": f"{activation} {name}, {words}", "published": published[f"{activation} {name}"][scale],
            "theory": _formula(activation, q, slope), **mean(first[group["run_id"]]).row(),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _formula(activation: str, q: FloatArray, slope: float) -> float:
    """Return 1 − erf(z_s/√(2q)), the mean over examples, z_s being where φ′ falls to a share of its maximum."""
    phi = getattr(activations, activation)()
    top = float(phi.prime(np.zeros(())))
    edge = optimize.brentq(lambda z: float(phi.prime(np.asarray(z))) - slope * top, 0.0, 50.0)
    return float(special.erfc(edge / np.sqrt(2 * q)).mean())


def _steps(tables: Results, published: Mapping[int, int]) -> pd.DataFrame:
    """Return one row a run: the steps until a share of the loss is left, and their bound."""
    rows = []
    for run in tables.runs.to_dict("records"):
        path = tables.steps[tables.steps["run_id"] == run["run_id"]].sort_values("step")
        there = path.loc[path["loss"] <= LEFT * path["loss"].iloc[0], "step"]
        target = float(run["data.y"])
        bound = (1 - np.sqrt(LEFT)) * target / (2 * float(run["lr"]))
        rows.append({
            "target": target, "published": float(published[int(target)]), "theory": bound,
            "measured": float(there.iloc[0]) if len(there) else np.nan,
        })  # fmt: skip
    return pd.DataFrame(rows)
