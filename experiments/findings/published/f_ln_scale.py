"""The angle between weights and gradient under normalization, of layers, of layers with their biases, and of rows."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bpcore.arrays import FloatArray
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite
from experiments.store.tables import Results

ZERO = {
    "W, before φ": ("before", None, "whole"),
    "W, behind ReLU": ("behind", "relu", "whole"),
    "W, batch normalization": ("batch", None, "whole"),
    "W and b, before φ": ("biased", None, "joint"),
    "rows, batch normalization": ("batch", None, "row"),
    "growth, before φ": ("before", None, "growth"),
    "growth, behind ReLU": ("behind", "relu", "growth"),
}
"""What must be 0: the sweep, the activation or None for all, and which cosine."""

SEEN = {
    "W, behind tanh": ("behind", "tanh", "whole"),
    "W without its b, before φ": ("biased", None, "whole"),
    "a row, before φ": ("before", None, "row"),
}
"""What need not, and must be seen to differ somewhere."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Measure cosines of weights and gradients where they must be 0, and where they need not.

    Args:
        results: of the sweeps `before`, `behind`, `biased` and `batch`, with snapshots after training.
        finding: with its thresholds.

    Returns:
        The estimate; its number is the largest cosine where it must be 0.
    """
    layers = pd.concat([_cosines(tables).assign(sweep=name) for name, tables in results.items()], ignore_index=True)
    numbers = pd.DataFrame([
        {"what": what, "zero": what in ZERO, **_ends(layers, *where)} for what, where in (ZERO | SEEN).items()
    ])  # fmt: skip
    none, some = numbers[numbers["zero"]], numbers[~numbers["zero"]]
    conditions = [
        bounded("largest cosine where it must be 0", none["high"], most=finding.threshold("zero_within")),
        bounded("largest cosine where it need not", some["high"], above=finding.threshold("seen_above")),
        finite(results),
    ]
    worst = float(none["high"].max(skipna=False))
    return Estimate(
        finding.verdict(conditions),
        f"Where W and ∂J/∂W must be orthogonal their cosine is at most {worst:.1g}; behind tanh, without the bias and of single rows it is "
        f"{some['measured'].min(skipna=False):.2g} or more on average.",
        quantity="largest cosine of W and ∂J/∂W where theory has 0",
        theory=0.0,
        measured=worst,
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers},
    )


def _ends(layers: pd.DataFrame, sweep: str, activation: str | None, which: str) -> dict[str, float]:
    """Return the smallest, the geometric middle and the largest cosine of a sweep's layers; what lies below rounding counts as that."""
    own = layers[(layers["sweep"] == sweep) & (layers["activation"].eq(activation) if activation else True)]
    values = own[which].to_numpy(dtype=float)
    if not len(values) or not np.isfinite(values).all():
        return {"measured": np.nan, "low": np.nan, "high": np.nan, "n": len(values)}
    values = np.maximum(values, ROUNDING)
    middle = float(np.clip(np.exp(np.log(values).mean()), values.min(), values.max()))
    return {"measured": middle, "low": float(values.min()), "high": float(values.max()), "n": len(values)}


ROUNDING = 1e-18
"""Below which a cosine is taken for this, so that it can be drawn on a logarithmic axis."""


def _cosines(tables: Results) -> pd.DataFrame:
    """Return one row a run and hidden layer: |cosine| of W, of (W, b), the largest of a row, and by how much a step's growth is off."""
    growth = _growth(tables)
    rows = []
    for run in tables.runs.to_dict("records"):
        with np.load(tables.path / f"snapshot_{run['run_id']}.npz") as arrays:
            for l in range(1, int(run["depth"]) + 1):
                W, dW, b, db = (arrays[f"{kind}{l}"] for kind in ("W", "dW", "b", "db"))
                rows.append({
                    "activation": run["activation"], "layer": l, "whole": _cosine(W.ravel(), dW.ravel()),
                    "joint": _cosine(np.append(W, b), np.append(dW, db)), "row": max(_cosine(*pair) for pair in zip(W, dW, strict=True)),
                    "growth": growth.get((run["run_id"], l), np.nan),
                })  # fmt: skip
    return pd.DataFrame(rows)


def _cosine(a: FloatArray, b: FloatArray) -> float:
    """Return |⟨a, b⟩|/(‖a‖‖b‖), 0 where one of them is 0."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return abs(float(a @ b)) / lengths if lengths > 0 else 0.0


def _growth(tables: Results) -> "pd.Series[float]":
    """Return the largest |‖W + ΔW‖² − ‖W‖² − ‖ΔW‖²|/(2‖W‖‖ΔW‖) over steps, by run and layer: the cosine of W and its update."""
    layers = tables.layers.sort_values(["run_id", "layer", "step"])
    after = (layers.groupby(["run_id", "layer"])["weight_norm"].shift(-1) / layers["weight_norm"]) ** 2
    ratio = layers["update_ratio"]
    off = ((after - 1 - ratio**2) / (2 * ratio)).abs()
    return off.groupby([layers["run_id"], layers["layer"]]).max()
