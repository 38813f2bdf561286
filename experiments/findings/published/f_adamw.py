"""What becomes of weights without a gradient under decoupled decay, and under L2 inside gradient descent and inside Adam."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from bpcore.arrays import FloatArray
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.store.tables import Results

NAMES = {"decoupled": "AdamW", "descent": "descent with L2", "inside_adam": "Adam with L2"}
"""Sweep -> what it is called."""

DECAY = 0.1
"""λ of the published share of decoupled decay."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare what is left of the weights at constant pixels with what was published.

    Args:
        results: of the sweeps `decoupled`, `descent` and `inside_adam`, with snapshots at the first and the last step.
        finding: with its thresholds and published shares.

    Returns:
        The estimate; its number is the share of the norm that Adam with L2 leaves, smallest to largest over λ.
    """
    numbers = pd.concat([_numbers(tables, name, finding.values) for name, tables in results.items()], ignore_index=True)
    decays, adam = numbers[numbers["what"] != NAMES["inside_adam"]], numbers[numbers["what"] == NAMES["inside_adam"]]
    alike = adam["measured"].max(skipna=False) / adam["measured"].min(skipna=False) - 1
    share = (adam["measured"] - adam["published"]).abs()
    conditions = [
        bounded("every weight off (1 − ηλ)^T, relatively", decays["off"], most=finding.threshold("decay_within")),
        bounded("largest over smallest share of Adam with L2, less 1", alike, most=finding.threshold("alike_within")),
        bounded("share of Adam with L2 off the published", share, most=finding.threshold("share_within")),
        bounded("decays of Adam with L2 that were tried", len(adam), least=2),
        finite(results),
    ]
    low, high = float(adam["measured"].min(skipna=False)), float(adam["measured"].max(skipna=False))
    return Estimate(
        finding.verdict(conditions),
        f"AdamW and descent with L2 leave (1 − ηλ)^T of every weight, to {decays['off'].max():.1g}; Adam with L2 leaves {low:.5f} to "
        f"{high:.5f} of the norm over a range of {adam['decay'].max() / adam['decay'].min():g} in λ.",
        quantity="share of the norm that Adam with L2 leaves, smallest to largest over λ",
        published=float(finding.values["adam"]),
        measured=float(np.clip(adam["measured"].mean(), low, high)),
        low=low,
        high=high,
        interval="smallest to largest over λ",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers},
    )


def _numbers(tables: Results, name: str, published: Mapping[str, float]) -> pd.DataFrame:
    """Return one row a λ: what is left of the norm, and by how much the single weights are off (1 − ηλ)^T."""
    decay = "optimizer.weight_decay" if name == "decoupled" else "weight_decay"
    rows = []
    for (of,), group in groups(tables.runs, [decay]):
        expected = float((1 - float(of) * group["lr"].iloc[0]) ** int(group["record.snapshot"].max()))
        theory, known = (np.nan, published["adam"]) if name == "inside_adam" else (expected, published["decay"])
        shares, off = [], []
        for (_,), pair in groups(group, ["seed"]):
            before, after = (_idle(tables.path, run) for run in pair.sort_values("record.snapshot")["run_id"])
            shares.append(np.linalg.norm(after) / np.linalg.norm(before))
            off.append(np.abs(after / before / expected - 1).max())
        rows.append({
            "what": NAMES[name], "decay": float(of), "published": known if name == "inside_adam" or of == DECAY else np.nan,
            "theory": theory, "measured": float(np.mean(shares)), "low": min(shares), "high": max(shares), "off": max(off),
            "n": len(shares),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _idle(folder: Path, run_id: str) -> FloatArray:
    """Return the first layer's weights at inputs that are 0 on every example."""
    with np.load(folder / f"snapshot_{run_id}.npz") as arrays:
        return np.asarray(arrays["W1"][:, (arrays["x"] == 0).all(axis=1)])
