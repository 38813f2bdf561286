"""The spread of the singular values of deep Jacobians at criticality."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bpcore import activations
from bpcore.arrays import FloatArray
from bpcore.theory import jacobian_spread
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite
from experiments.findings.intervals import mean
from experiments.findings.jacobians import squared_singular_values
from experiments.store.tables import Results

SHOWN = "relu_gaussian"
"""The setting whose spread the summary shows."""

FIXED_POINTS = {"tanh": 0.05, "tanh_small": 0.0123}
"""q*; the others' slopes do not depend on it."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare Var(s²)/mean(s²)² with L times the published, and the largest s² of a product of Gaussian matrices with its edge.

    Args:
        results: of the sweeps `linear`, `relu_gaussian`, `relu_orthogonal`, `tanh` and `tanh_small`, with snapshots.
        finding: with its thresholds and published numbers.

    Returns:
        The estimate; its numbers are those of SHOWN.
    """
    values = {name: _values(tables) for name, tables in results.items()}
    numbers = pd.DataFrame([_row(name, tables, values[name], finding.values["spread"][name]) for name, tables in results.items()])
    largest = float(np.mean([one.max() for one in values["linear"]]))
    own = numbers.set_index("setting")["measured"]
    off = (numbers["measured"] / numbers["published"] - 1).abs()
    conditions = [
        bounded("spread as published, relatively", off, most=finding.threshold("spread_within")),
        bounded(
            "linear net's largest s², relatively", abs(largest / finding.values["largest"] - 1), most=finding.threshold("largest_within")
        ),
        bounded("spread of the smaller q* over the larger's", own["tanh_small"] / own["tanh"], most=finding.threshold("smaller_by")),
        finite(results),
    ]
    shown = numbers[numbers["setting"] == SHOWN].iloc[0]
    says = ", ".join(
        f"{row['setting'].replace('_', ' ')} {row['measured']:.3g} ({row['published']:.3g})" for row in numbers.to_dict("records")
    )
    spectra = [
        pd.DataFrame({"setting": name, "share": (np.arange(len(one)) + 0.5) / len(one), "value": one})
        for name, sets in values.items()
        for one in sets[:1]
    ]
    return Estimate(
        finding.verdict(conditions),
        f"Var(s²)/mean(s²)² (published): {says}; largest s² of the linear net {largest:.3g} ({finding.values['largest']:g}).",
        quantity=f"Var(s²)/mean(s²)² of the Jacobian of {shown['depth']:.0f} ReLU layers, Gaussian weights",
        published=float(shown["published"]),
        theory=float(shown["theory"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds",
        n=int(numbers["n"].sum()),
        tables={"numbers": numbers, "spectra": pd.concat(spectra, ignore_index=True)},
    )


def _values(tables: Results) -> list[FloatArray]:
    """Return the squared singular values of every run."""
    return [
        squared_singular_values(
            tables.path / f"snapshot_{run['run_id']}.npz", int(run["depth"]), getattr(activations, str(run["activation"]))().prime
        )
        for run in tables.runs.to_dict("records")
    ]


def _row(name: str, tables: Results, values: list[FloatArray], per_layer: float) -> dict[str, object]:
    """Return a setting's spread: published, predicted, and measured with its interval."""
    depth, first = int(tables.runs["depth"].iloc[0]), tables.runs.iloc[0]
    phi = getattr(activations, str(first["activation"]))()
    theory = jacobian_spread(phi, FIXED_POINTS.get(name, 1.0), depth, orthogonal=first["init"] == "orthogonal")
    measured = mean([one.var() / one.mean() ** 2 for one in values])
    return {"setting": name, "depth": depth, "published": per_layer * depth, "theory": theory, **measured.row()}
