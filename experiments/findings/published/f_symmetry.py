"""What constant weights keep: equal units, gradients of rank 1, and with zero weights nothing learned."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite
from experiments.store.tables import Results


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Look for a second distinct row, in weights and gradients, at every step.

    Args:
        results: of the sweeps `constant`, `zero` and `random`, the first and the last with snapshots after training.
        finding: with its thresholds and the published loss.

    Returns:
        The estimate; its number is the loss that zero weights end with.
    """
    equal, other = (_states(results[name], name) for name in ("constant", "random"))
    numbers = pd.concat([equal, other], ignore_index=True)
    zero = results["zero"]
    runs = zero.runs[["run_id", "activation", "baseline_loss"]]
    path = (
        zero.steps.merge(runs, on="run_id").groupby("step", as_index=False).agg(measured=("loss", "mean"), theory=("baseline_loss", "mean"))
    )
    left = zero.runs["final_loss"] - zero.runs["baseline_loss"]
    gradients = zero.layers.loc[zero.layers["layer"] >= 1, "weight_grad_norm"]
    units = _hidden(results["constant"])["equal_units"]
    seen = finding.threshold("seen_above")
    conditions = [
        bounded("constant weights: share of equal units, at every step", units, least=1),
        bounded("their rows after training, relatively", equal["rows"], most=finding.threshold("rows_within")),
        bounded("second singular value of their gradients, relatively", equal["second"], most=finding.threshold("rank_within")),
        bounded("random weights: rows, relatively", other["rows"], above=seen),
        bounded("random weights: second singular value, relatively", other["second"], above=seen),
        bounded("zero weights: ‖∂J/∂W‖, in every layer and step", gradients, least=0, most=0),
        bounded("zero weights: loss above that of the best constant", left, least=0, most=finding.threshold("loss_within")),
        finite(results),
    ]
    loss = float(zero.runs["final_loss"].mean())
    return Estimate(
        finding.verdict(conditions),
        f"With constant weights rows differ by {equal['rows'].max():.1g} after training and the second singular value is "
        f"{equal['second'].max():.1g} of the first; with random ones {other['second'].min():.2g} or more. Zero weights end at a loss of "
        f"{loss:.4f}, the labels' entropy being {zero.runs['baseline_loss'].mean():.4f}.",
        quantity="loss of a net of zero weights after 200 steps",
        published=float(finding.values["loss"]),
        theory=float(zero.runs["baseline_loss"].mean()),
        measured=loss,
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "loss": path},
    )


def _hidden(tables: Results) -> pd.DataFrame:
    """Return the layers table of hidden layers, at every step."""
    layers = tables.layers.merge(tables.runs[["run_id", "depth"]], on="run_id")
    return layers[(layers["layer"] >= 1) & (layers["layer"] <= layers["depth"])]


def _states(tables: Results, name: str) -> pd.DataFrame:
    """Return one row a run and hidden layer: the largest difference of rows of W, and the second singular value of ∂J/∂W, relatively."""
    rows = []
    for run in tables.runs.to_dict("records"):
        with np.load(Path(tables.path) / f"snapshot_{run['run_id']}.npz") as arrays:
            for l in range(1, int(run["depth"]) + 1):
                W, singular = arrays[f"W{l}"], np.linalg.svd(arrays[f"dW{l}"], compute_uv=False)
                apart = np.abs(W - W[:1]).max() / np.abs(W).max()
                rows.append({
                    "weights": name, "activation": run["activation"], "layer": l, "rows": float(apart),
                    "second": float(singular[1] / singular[0]),
                })  # fmt: skip
    return pd.DataFrame(rows)
