"""The phase diagram of an activation as a table: χ₁ over (σ_b², σ_w²), the edge of chaos, measured factors. Never draws."""

import math
from typing import Any

import numpy as np
import pandas as pd

from bpcore import theory
from bpcore.activations import Activation
from bpcore.arrays import FloatArray
from bpcore.initializers import Initializer
from experiments.config.building import built
from experiments.config.files import catalogue, choice
from experiments.store.tables import Results
from experiments.text.numbers import label

RESOLUTION = 96
"""Cells in either direction."""

MOST_ACTIVATIONS = 4
COLUMNS = ["activation", "kind", "sigma_b2", "sigma_w2", "q", "chi_1", "factor", "n"]
_Q: FloatArray = np.geomspace(1e-9, 1e9, 1801)
_FAR = 1e12


def phase_map(phi: Activation, sigma_b2: FloatArray, sigma_w2: FloatArray, keep: float = 1.0) -> tuple[FloatArray, FloatArray]:
    """Return q* and χ₁ over a grid.

    The length map is tabulated over q once; in each cell the first fixed point ahead of q¹ = σ_w² + σ_b² (inputs of
    ‖x‖² = n_0) is interpolated between its grid points, to about 1e-4. Where q grows without bound χ₁ is its limit.

    Args:
        phi: the activation.
        sigma_b2: σ_b² ≥ 0, shape (columns,).
        sigma_w2: σ_w² > 0, shape (rows,).
        keep: p, the share of units that dropout keeps.

    Returns:
        q* (infinite where it is unbounded) and χ₁, each (rows, columns).
    """
    second = theory.second_moments(phi, _Q)
    slope = theory.chis(phi, np.concatenate([[0.0], _Q, [_FAR]]))
    logs = np.log(_Q)
    q_star = np.empty((len(sigma_w2), len(sigma_b2)))
    for i, weight in enumerate(sigma_w2):
        gain = (weight / keep * second + sigma_b2[:, None]) / _Q - 1  # > 0 where q grows
        start = np.searchsorted(_Q, weight + sigma_b2).clip(1, len(_Q) - 1)
        for j in range(len(sigma_b2)):
            q_star[i, j] = _flow(gain[j], int(start[j]), logs)
    known = np.concatenate([[-50.0], logs, [math.log(_FAR)]])
    with np.errstate(all="ignore"):
        places = np.log(np.clip(q_star, math.exp(-50.0), _FAR))
    return q_star, np.asarray(sigma_w2)[:, None] / keep * np.interp(places, known, slope)


def _flow(gain: FloatArray, start: int, logs: FloatArray) -> float:
    """Return the fixed point to which q flows from a grid point, by the sign of its relative growth."""
    noise = 1e-12
    if abs(gain[start]) < noise:
        return float(np.exp(logs[start]))
    if gain[start] > 0:
        ahead = np.flatnonzero(gain[start:] < -noise)
        if not len(ahead):
            return math.inf
        low, high = start + int(ahead[0]) - 1, start + int(ahead[0])
    else:
        behind = np.flatnonzero(gain[:start] > noise)
        if not len(behind):
            return 0.0
        low, high = int(behind[-1]), int(behind[-1]) + 1
    share = gain[low] / (gain[low] - gain[high])
    return float(np.exp(logs[low] + share * (logs[high] - logs[low])))


def _reach(phi: Activation, measured: pd.DataFrame, keep: float) -> tuple[float, float]:
    """Return the largest σ_b² and σ_w² that are shown: the edge in the middle, every measured point inside."""
    bias = max(0.5, 1.15 * float(measured["sigma_b2"].max()) if len(measured) else 0.0)
    edges = [point.sigma_w2 for at in (0.0, bias / 2) for point in theory.edge_of_chaos(phi, at) if point.stability != "unstable"]
    weight = 2 * keep * max(edges, default=2.0)
    return bias, max(weight, 1.1 * float(measured["sigma_w2"].max()) if len(measured) else 0.0)


def diagram(name: str, phi: Activation, measured: pd.DataFrame | None = None, keep: float = 1.0) -> pd.DataFrame:
    """Return the phase diagram of an activation.

    Args:
        name: of the activation.
        phi: the activation.
        measured: sigma_b2, sigma_w2, factor, n of measured nets, or None.
        keep: p, the share of units that dropout keeps: χ and q* are those of σ_w²/p.

    Returns:
        The columns COLUMNS, `kind` being cell (of the map), edge (by ascending q*, to a little beyond the map), critical
        (its point at σ_b = 0) or measured (factor: geometric mean over n runs); factor is √χ₁ otherwise.
    """
    points = pd.DataFrame(columns=["sigma_b2", "sigma_w2", "factor", "n"], dtype=float) if measured is None else measured
    bias, weight = _reach(phi, points, keep)
    middle = (np.arange(RESOLUTION) + 0.5) / RESOLUTION
    q, chi = phase_map(phi, bias * middle, weight * middle, keep)
    rows, columns = np.meshgrid(weight * middle, bias * middle, indexing="ij")
    cells = {"sigma_b2": columns.ravel(), "sigma_w2": rows.ravel(), "q": q.ravel(), "chi_1": chi.ravel()}
    frames = [pd.DataFrame({"kind": "cell", **cells})]
    along = np.geomspace(1e-4, 1e6, 1200)
    edge_b, edge_w = theory.edge_curve(phi, along)
    with np.errstate(invalid="ignore"):  # 0 · ∞ where the moments of φ overflow
        reachable = edge_w * theory.length_slopes(phi, along) < 1 + 1e-9
    edge_w = edge_w * keep
    inside = (edge_b >= 0) & (edge_b <= 1.1 * bias) & (edge_w <= 1.1 * weight) & reachable
    if theory.slopes(phi) is None and inside.any():
        edge = {"sigma_b2": edge_b[inside], "sigma_w2": edge_w[inside], "q": along[inside], "chi_1": 1.0}
        frames.append(pd.DataFrame({"kind": "edge", **edge}))
    for point in [point for point in theory.edge_of_chaos(phi, 0.0) if point.stability != "unstable"][:1]:
        critical = {"sigma_b2": [0.0], "sigma_w2": [keep * point.sigma_w2], "q": [point.q], "chi_1": [1.0]}
        frames.append(pd.DataFrame({"kind": "critical", **critical}))
    table = pd.concat(frames, ignore_index=True)
    table["factor"], table["n"] = np.sqrt(table["chi_1"]), np.nan
    if len(points):
        table = pd.concat([table, points.assign(kind="measured", q=np.nan, chi_1=np.nan)], ignore_index=True)
    return table.assign(activation=name)[COLUMNS]


def node_of(group: str, row: "pd.Series[Any]") -> dict[str, Any]:
    """Return a group's node as a run's row describes it."""
    node = choice(group, row[group])
    for key in node:
        column = f"{group}.{key}"
        if column in row.index and not pd.isna(row[column]):
            node[key] = row[column].item() if isinstance(row[column], np.generic) else row[column]
    return node


def label_of(node: dict[str, Any], rate: float = 0.0) -> str:
    """Return what a diagram calls an activation: its name, and its parameters where it has any; the share that is dropped, if any."""
    more = {key: value for key, value in node.items() if key not in ("_target_", "name")}
    more |= {"dropout.rate": rate} if rate else {}
    return " ".join([str(node["name"]), *(f"{key}={label(value)}" for key, value in more.items())])


def measured(results: Results) -> dict[str, tuple[Activation, pd.DataFrame, float]]:
    """Return the measured factors of every activation and rate of dropout in some results, by σ_b² and σ_w² of the hidden layers.

    Args:
        results: loaded.

    Returns:
        Label -> (activation, one row a point: sigma_b2, sigma_w2, factor as the geometric mean over runs, n; the share that is
        kept). Runs under batch normalization, with equal weights, or without a positive finite factor are left out.
    """
    runs = results.runs
    known = runs["activation"].isin(catalogue("activation")) & runs["init"].isin(catalogue("init"))
    known &= pd.to_numeric(runs["width"], errors="coerce").notna()  # layers of different widths have more than one σ_w²
    with np.errstate(all="ignore"):
        factor = runs["delta_factor"].astype("float64")
    runs = runs[known & (runs["normalization"] == "none") & (runs["skip"] == "none") & np.isfinite(factor) & (factor > 0)]
    rows: dict[str, list[tuple[float, float, float]]] = {}
    phis: dict[str, tuple[Activation, float]] = {}
    for _, row in runs.iterrows():
        initializer, node, width = built(Initializer, node_of("init", row)), node_of("activation", row), int(row["width"])
        variance = initializer.variance(width, width)
        if initializer.mean or initializer.adapt or variance == 0:
            continue
        rate = float(row.get("dropout.rate", 0.0))
        name = label_of(node, rate)
        phis[name] = built(Activation, node), 1 - rate
        point = (initializer.bias_std_at(width) ** 2, width * variance, math.log(float(row["delta_factor"])))
        rows.setdefault(name, []).append(point)
    tables = {}
    for name, points in rows.items():
        frame = pd.DataFrame(points, columns=["sigma_b2", "sigma_w2", "log"])
        frame["sigma_w2"] = frame["sigma_w2"].map(lambda value: float(f"{value:.12g}"))  # the same σ_w² by another route
        grouped = frame.groupby(["sigma_b2", "sigma_w2"])["log"].agg(["mean", "size"]).reset_index()
        grouped["factor"] = np.exp(grouped["mean"])
        phi, keep = phis[name]
        tables[name] = (phi, grouped.rename(columns={"size": "n"})[["sigma_b2", "sigma_w2", "factor", "n"]], keep)
    return tables


def phase_table(results: Results) -> tuple[pd.DataFrame, list[str]] | None:
    """Return the diagrams of a sweep's activations with its measured factors on them.

    Args:
        results: loaded.

    Returns:
        As `diagram`, for the first four activations, and the names of the others; None where fewer than three points of the plane were
        measured.
    """
    found = measured(results)
    found = {name: entry for name, entry in found.items() if len(entry[1]) >= 3}
    if not found:
        return None
    tables = [diagram(name, *entry) for name, entry in list(found.items())[:MOST_ACTIVATIONS]]
    return pd.concat(tables, ignore_index=True), list(found)[MOST_ACTIVATIONS:]
