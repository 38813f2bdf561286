"""The phase diagram of tanh nets: the factor of ‖δ‖² deep inside the net, over σ_w² and σ_b²."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bpcore.activations import tanh
from bpcore.theory import chi, second_moment
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.findings.intervals import geometric_mean
from experiments.store.tables import Results

SETTLED_FROM = 6
"""First hidden layer at which q has come near its fixed point; the layers before it are left out."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Estimate χ₁ at the published points and over the diagram.

    Args:
        results: of the sweeps `chi` and `diagram`.
        finding: with its thresholds, `values.chi` and `values.edge`.

    Returns:
        The estimate; its numbers are χ₁ at the first published point, the farthest from the edge.
    """
    numbers = _points(results["chi"], finding.values["chi"])
    cells = _cells(results["diagram"])
    known = numbers.dropna(subset=["published"])
    off = (known["measured"] / known["published"] - 1).abs()
    clear = cells[(cells["theory"] - 1).abs() > finding.threshold("clear_of_edge")]
    sides = (clear["measured"] < 1) == (clear["theory"] < 1)
    right = float(sides.mean())
    conditions = [
        bounded("χ₁ as published, relatively", off, most=finding.threshold("chi_within")),
        bounded("share of clear cells on theory's side", [right] if len(sides) else [], least=finding.threshold("cells_right")),
        finite(results),
    ]
    first = numbers.iloc[0]
    edge = pd.DataFrame({"sigma_b2": finding.values["edge"].keys(), "sigma_w2": finding.values["edge"].values()}).astype(float)
    return Estimate(
        finding.verdict(conditions),
        f"χ₁ at the {len(known)} published points is within {100 * off.max():.2g} % of the published; "
        f"{100 * right:.4g} % of {len(clear)} cells of the diagram lie on theory's side of the edge of chaos.",
        quantity="χ₁ at σ_w² = 1, σ_b² = .05",
        published=float(first["published"]),
        theory=float(first["theory"]),
        measured=float(first["measured"]),
        low=float(first["low"]),
        high=float(first["high"]),
        interval=f"95 % over {first['n']:.0f} seeds, of the geometric mean",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "diagram": cells, "edge": edge},
    )


def _factors(tables: Results) -> pd.DataFrame:
    """Return one row a run: σ_w², σ_b² and the factor of ‖δ‖² per layer, from SETTLED_FROM to the last hidden layer."""
    at_start = tables.layers[tables.layers["step"] == 0]
    norms = at_start.set_index(["run_id", "layer"])["delta_norm"]
    rows = []
    for run in tables.runs.to_dict("records"):
        depth = int(run["depth"])
        ratio = norms[run["run_id"], SETTLED_FROM] / norms[run["run_id"], depth]
        rows.append({
            "sigma_w2": round(run["init.scale"] ** 2, 6), "sigma_b2": round(run["init.bias_std"] ** 2, 6),
            "measured": float(ratio ** (2 / (depth - SETTLED_FROM))),
        })  # fmt: skip
    return pd.DataFrame(rows)


def chi_1(sigma_w2: float, sigma_b2: float) -> float:
    """Return χ₁ = χ(q*) of tanh, q* by iteration of the length map.

    Source: Poole et al. 2016, eqs. 3 and 7.
    """
    q = sigma_w2 + sigma_b2
    for _ in range(400):
        q, before = sigma_w2 * second_moment(tanh(), q) + sigma_b2, q
        if abs(q - before) < 1e-9:
            break
    return chi(tanh(), q, sigma_w2)


def _points(tables: Results, published: Mapping[float, float]) -> pd.DataFrame:
    rows = []
    for (sigma_w2, sigma_b2), group in groups(_factors(tables), ["sigma_w2", "sigma_b2"]):
        factor = geometric_mean(group["measured"])
        near = min(published, key=lambda point: abs(point - sigma_w2))
        rows.append({
            "sigma_w2": sigma_w2, "sigma_b2": sigma_b2, "published": published[near] if abs(near - sigma_w2) < 1e-3 else np.nan,
            "theory": chi_1(sigma_w2, sigma_b2), **factor.row(),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _cells(tables: Results) -> pd.DataFrame:
    frame = _factors(tables)
    frame["theory"] = [chi_1(w, b) for w, b in zip(frame["sigma_w2"], frame["sigma_b2"], strict=True)]
    return frame
