"""The one point of ReLU's edge of chaos, and how correlations tend to 1 there."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import Condition, bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, layers_at
from experiments.findings.intervals import geometric_mean, mean
from experiments.store.tables import Results

FROM_LAYER = 10
"""First layer that is compared: before it the law is not one of large l."""

ASYMPTOTE_AT = 1000
"""Layer at which the map was compared with its asymptote."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare correlations with the map, the map with its asymptote, and the six points with each other.

    Args:
        results: of the sweeps `correlation` and `edge`.
        finding: with its thresholds and values.

    Returns:
        The estimate; its numbers are 1 − c at the deepest layer.
    """
    decay = _decay(results["correlation"])
    points = _points(results["edge"])
    within = float(finding.threshold("kept_within"))
    points["kept"] = points[["delta", "z"]].apply(lambda column: column.between(1 / within, within)).all(axis=1)
    kept = points[points["kept"]]
    at_edge = (kept["sigma_w"] - finding.values["sigma_w"]).abs().lt(1e-6) & (kept["sigma_b"] == 0)
    single = len(kept) == 1 and bool(at_edge.all())
    decay["compared"] = decay["layer"] >= FROM_LAYER
    compared = decay[decay["compared"]]
    off = (compared["measured"] / compared["theory"] - 1).abs()
    ratio = float((1 - correlations(ASYMPTOTE_AT)[-1]) / asymptote(ASYMPTOTE_AT))
    apart = abs(ratio - finding.values["ratio_at_1000"])
    conditions = [
        Condition(
            "the edge alone keeps δ and z", single, f"{len(kept)} of {len(points)} points keep both, {int(at_edge.sum())} at the edge"
        ),
        bounded("1 − c off the map, relatively", off, most=finding.threshold("map_within")),
        bounded("the map's ratio to its asymptote off the published", apart, most=finding.threshold("asymptote_within")),
        finite(results),
    ]
    deepest = decay.iloc[-1]
    return Estimate(
        finding.verdict(conditions),
        f"From layer {FROM_LAYER} to {deepest['layer']:.0f} 1 − c is within {100 * off.max():.2g} % of the map, which is "
        f"{ratio:.3f} of its asymptote at "
        f"layer {ASYMPTOTE_AT}; of {len(points)} points {len(kept)} keep{'s' if len(kept) == 1 else ''} both δ and z"
        + (", the edge." if single else "."),
        quantity=f"1 − c at layer {deepest['layer']:.0f}",
        published=float(deepest["asymptote"]),
        theory=float(deepest["theory"]),
        measured=float(deepest["measured"]),
        low=float(deepest["low"]),
        high=float(deepest["high"]),
        interval=f"95 % over {deepest['n']:.0f} seeds, of the arithmetic mean",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": decay[decay["layer"].isin([1, 2, 5]) | (decay["layer"] % 10 == 0)], "decay": decay, "points": points},
    )


def correlations(layers: int) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Return the correlation of two inputs at right angles after 0…layers ReLU layers at (σ_b², σ_w²) = (0, 2).

    c ↦ [√(1 − c²) + (π − arccos c) c]/π.

    Source: Cho & Saul 2009, eq. 6.
    """
    path = [0.0]
    for _ in range(layers):
        c = path[-1]
        path.append(min(1.0, (np.sqrt((1 - c) * (1 + c)) + (np.pi - np.arccos(c)) * c) / np.pi))
    return np.array(path)


def asymptote(layer: "pd.Series[int] | int") -> "pd.Series[float] | float":
    """Return 9π²/(2l²), Hayou et al. 2019."""
    return 9 * np.pi**2 / (2.0 * layer**2)


def _decay(tables: Results) -> pd.DataFrame:
    """Return 1 − c by layer, c the root mean square of the correlations of all pairs.

    The effective rank r of m vectors of equal length is m²/Σ_ij c_ij², so the mean of c_ij² over pairs is (m/r − 1)/(m − 1).
    """
    m = int(tables.runs["data.n_samples"].iloc[0])
    hidden = layers_at(tables, 0, ["seed"])
    hidden["gap"] = 1 - np.sqrt(((m / hidden["a_rank"] - 1) / (m - 1)).clip(lower=0))
    rows = []
    map_ = correlations(int(hidden["layer"].max()))
    for (layer,), group in groups(hidden, ["layer"]):
        gap = mean(group["gap"])
        rows.append({
            "layer": int(layer), "asymptote": asymptote(int(layer)), "theory": 1 - map_[int(layer)], **gap.row(),
        })  # fmt: skip
    return pd.DataFrame(rows)


def _points(tables: Results) -> pd.DataFrame:
    """Return, by (σ_w, σ_b), the ratios of ‖δ‖² first over last layer and of E[z²] last over first, geometric means over seeds."""
    hidden = layers_at(tables, 0, ["init.scale", "init.bias_std", "depth"])
    first = hidden[hidden["layer"] == 1].set_index("run_id")
    last = hidden[hidden["layer"] == hidden["depth"]].set_index("run_id")
    ratios = first[["init.scale", "init.bias_std"]].assign(
        delta=(first["delta_norm"] / last["delta_norm"]) ** 2,
        z=(last["z_var"] + last["z_mean"] ** 2) / (first["z_var"] + first["z_mean"] ** 2),
    )
    rows = []
    for (sigma_w, sigma_b), group in groups(ratios, ["init.scale", "init.bias_std"]):
        delta, z = geometric_mean(group["delta"]), geometric_mean(group["z"])
        rows.append({"sigma_w": sigma_w, "sigma_b": sigma_b, "delta": delta.value, "z": z.value, "n": delta.n})
    return pd.DataFrame(rows)
