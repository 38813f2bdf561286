"""Whether orthogonal weights make a ReLU net's singular values equal: a popular claim."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from bpcore import activations
from bpcore.theory import jacobian_spread
from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite
from experiments.findings.intervals import mean
from experiments.findings.jacobians import squared_singular_values
from experiments.store.tables import Results


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare Var(s²)/mean(s²)² with 0 and with L.

    Args:
        results: of the sweep `relu_orthogonal`, with snapshots.
        finding: with its thresholds and the published spread.

    Returns:
        The estimate; its numbers are the mean over seeds.
    """
    tables = results["relu_orthogonal"]
    relu = activations.relu()
    depths = {run["run_id"]: int(run["depth"]) for run in tables.runs.to_dict("records")}
    values = [squared_singular_values(tables.path / f"snapshot_{run}.npz", depth, relu.prime) for run, depth in depths.items()]
    spreads = [float(one.var() / one.mean() ** 2) for one in values]
    depth = max(depths.values(), default=0)
    measured, expected = mean(spreads), float(finding.values["spread"]) * depth
    spectra = [pd.DataFrame({"net": i, "share": (np.arange(len(one)) + 0.5) / len(one), "value": one}) for i, one in enumerate(values)]
    conditions = [bounded("spread of every net", spreads, most=finding.threshold("isometry_below")), finite(results)]
    off = abs(measured.value / expected - 1) if expected else np.nan
    return Estimate(
        finding.verdict(conditions, [bounded("mean spread off L, relatively", off, most=finding.threshold("spread_within"))]),
        f"Var(s²)/mean(s²)² is {measured.value:.3g} through {depth} ReLU layers of orthogonal weights, not next to 0 but L.",
        quantity=f"Var(s²)/mean(s²)² of the Jacobian of {depth} ReLU layers, orthogonal weights",
        published=0.0,
        theory=jacobian_spread(relu, 1.0, depth, orthogonal=True),
        measured=measured.value,
        low=measured.low,
        high=measured.high,
        interval=f"95 % over {measured.n} seeds",
        n=len(tables.runs),
        tables={"numbers": pd.DataFrame([{"depth": depth, "theory": expected, **measured.row()}]), "spectra": pd.concat(spectra)},
    )
