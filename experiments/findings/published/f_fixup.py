"""What one step does to the output of residual nets whose last matrices begin at 0, by the number of blocks."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, layers_at
from experiments.findings.intervals import mean
from experiments.findings.residual import slope
from experiments.store.tables import Results

SHOWN = "fixup"
"""The start of the branches whose slope is reported."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare how the branches' share of a step's effect on the output grows with their number, with and without Fixup's factor.

    Args:
        results: of the sweeps `zero_last` and `fixup`.
        finding: with its thresholds and, under `values`, the published slopes.

    Returns:
        The estimate; its numbers are SHOWN's slope.
    """
    effects = pd.concat([_effects(tables).assign(start=start) for start, tables in results.items()])
    numbers = pd.DataFrame([
        {"start": start, "blocks": int(blocks), **mean(group["branches"]).row()}
        for (start, blocks), group in groups(effects, ["start", "blocks"])
    ])  # fmt: skip
    slopes = _slopes(effects, finding.values["slope"])
    within = finding.threshold("slope_within")
    off = (effects["layers"] / effects["step"] - 1).abs()
    says = ", ".join(f"{row['measured']:.3f} ({row['start']})" for row in slopes.to_dict("records"))
    shown = slopes[slopes["start"] == SHOWN].iloc[0]
    return Estimate(
        finding.verdict([
            bounded("slopes less the published", slopes["measured"] - slopes["published"], least=-within, most=within),
            bounded("effect of all layers to first order off the step's, relatively", off, most=finding.threshold("first_order")),
            finite(results),
        ]),
        f"The branches' share of one step's effect on the output goes with L to the power of {says}; all layers together account for the "
        f"step within {100 * off.max():.1g} %.",
        quantity="exponent of L in the branches' share of a step's effect, Fixup",
        published=float(shown["published"]),
        measured=float(shown["measured"]),
        low=float(shown["low"]),
        high=float(shown["high"]),
        interval=f"95 % over {shown['n']:.0f} seeds, of the mean over seeds of each net's slope",
        n=len(effects),
        tables={"numbers": numbers, "slopes": slopes},
    )  # fmt: skip


def _effects(tables: Results) -> pd.DataFrame:
    """Return one row a run: what a step does to f, per learning rate and ∂J/∂f.

    J = ½(f − y)², so that ∂J/∂f = f − y has the size √(2J); to first order f moves by −η ∂J/∂f Σ‖∂f/∂W‖², summed over layers.

    Returns:
        Columns seed, blocks, step (as it was made), layers (to first order, of all layers) and branches (of their last matrices).
    """
    loss = tables.steps.pivot(index="run_id", columns="step", values="loss")
    errors = np.sqrt(2 * loss)
    rows = layers_at(tables, 0, ["seed", "lr", "depth"], hidden=False)
    rows["square"] = (rows["weight_grad_norm"] / rows["run_id"].map(errors[0])) ** 2
    of_run = rows.groupby("run_id")[["seed", "lr", "depth"]].first()
    ends_block = (rows["layer"] % 2 == 1) & (rows["layer"] > 1) & (rows["layer"] <= rows["depth"])
    return of_run.assign(
        blocks=(of_run["depth"] - 1) // 2,
        step=(errors[0] - errors[1]) / (of_run["lr"] * errors[0]),
        layers=rows.groupby("run_id")["square"].sum(min_count=1),
        branches=rows[ends_block].groupby("run_id")["square"].sum(min_count=1),
    )


def _slopes(effects: pd.DataFrame, published: Mapping[str, float]) -> pd.DataFrame:
    """Return one row a start of the branches: the slope in ln L, a mean over seeds."""
    found = []
    for (start,), group in groups(effects, ["start"]):
        own = [slope(np.log(seed["blocks"]), np.log(seed["branches"])) for _, seed in group.groupby("seed")]
        found.append({"start": start, "published": published.get(start, math.nan), **mean(own).row()})
    return pd.DataFrame(found)
