"""The largest safe learning rate on cosh w − 1, of plain and of clipped gradient descent."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded, every
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import groups, present
from experiments.store.tables import Results


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Bracket gradient descent's limit from every start, and count the steps of clipped descent.

    Args:
        results: of the sweeps `gd_…`, one a start, and `clipped`.
        finding: with its thresholds and `values.limits`.

    Returns:
        The estimate; its numbers are the limit from the farthest start, bracketed by the nearest rates that were tried.
    """
    arrived = float(finding.threshold("arrived"))
    plain = pd.concat([_rates(tables, float(finding.threshold("converged"))) for name, tables in results.items() if name != "clipped"])
    clipped = _clipped(results["clipped"], arrived)
    published = {float(start): limit for start, limit in finding.values["limits"].items()}
    numbers = pd.DataFrame([_bracket(start, rows, published[start]) for (start,), rows in groups(plain, ["start"])])
    at_one = clipped[clipped["rate"] == 1].set_index("start")["steps"]
    numbers["clipped_steps"] = numbers["start"].map(at_one)
    limited = (numbers["low"] < numbers["published"]) & (numbers["published"] < numbers["high"]) & numbers["ordered"].astype(bool)
    conditions = [
        every("the bracket holds the formula's limit", limited, "starts"),
        bounded("steps of clipped descent beyond w₀", numbers["clipped_steps"] - numbers["start"], most=finding.threshold("steps_more")),
        every("clipped descent arrives", clipped["steps"].notna(), "runs"),
        present(results),
    ]
    farthest = numbers.iloc[-1]
    wide = float((numbers["high"] / numbers["low"] - 1).max())
    ratio = numbers["measured"].iloc[0] / farthest["measured"]
    return Estimate(
        finding.verdict(conditions),
        f"From w₀ = {numbers['start'].iloc[0]:g} to {farthest['start']:g} gradient descent's limit falls {ratio:.3g}×; the "
        f"bracket between the nearest rates, at most {100 * wide:.2g} % wide, {'holds' if limited.all() else 'does not hold'} the "
        f"formula's. Clipped, {int(clipped['steps'].notna().sum())} of {len(clipped)} runs arrive, at rate 1 within "
        f"{', '.join(f'{steps:.0f}' for steps in numbers['clipped_steps'])} steps.",
        quantity=f"gradient descent's largest safe learning rate from w₀ = {farthest['start']:g}",
        published=float(farthest["published"]),
        theory=float(2 * farthest["start"] / np.sinh(farthest["start"])),
        measured=float(farthest["measured"]),
        low=float(farthest["low"]),
        high=float(farthest["high"]),
        interval="between the largest rate that converged and the smallest that did not",
        n=len(plain) + len(clipped),
        tables={"numbers": numbers.drop(columns="ordered"), "plain": plain, "clipped": clipped},
    )


def _rates(tables: Results, share: float) -> pd.DataFrame:
    """Return one row a run of plain descent: start, rate, whether it is safe (ends far below its first loss) or unsafe (above it)."""
    runs = tables.runs
    first = np.cosh(runs["init.scale"].astype(float)) - 1
    ratio = runs["final_loss"].astype(float) / first
    diverged = runs["status"] == "diverged"
    return pd.DataFrame({
        "start": runs["init.scale"].astype(float), "rate": runs["lr"].astype(float), "safe": ~diverged & (ratio < share),
        "unsafe": diverged | (ratio > 1),
    }).sort_values(["start", "rate"], ignore_index=True)  # fmt: skip


def _bracket(start: float, rows: pd.DataFrame, published: float) -> dict[str, Any]:
    """Return the largest safe and the smallest unsafe rate; `ordered` where every rate below is safe and every one above unsafe."""
    safe, unsafe = rows.loc[rows["safe"], "rate"], rows.loc[rows["unsafe"], "rate"]
    low = float(safe.max()) if len(safe) else float("nan")
    high = float(unsafe.min()) if len(unsafe) else float("nan")
    ordered = low < high and len(safe) + len(unsafe) == len(rows)
    measured = float(np.sqrt(low * high))
    return {"start": start, "published": published, "measured": measured, "low": low, "high": high, "ordered": ordered, "n": len(rows)}


def _clipped(tables: Results, arrived: float) -> pd.DataFrame:
    """Return one row a run of clipped descent: start, rate, steps until the loss is small, NaN where it never is."""
    rows = []
    losses = dict(iter(tables.steps.sort_values("step").groupby("run_id")))
    for run in tables.runs.to_dict("records"):
        steps = losses[run["run_id"]]
        there = steps.loc[steps["loss"] < arrived, "step"]
        number = float(there.iloc[0]) if len(there) else float("nan")
        rows.append({"start": float(run["init.scale"]), "rate": float(run["lr"]), "steps": number})
    return pd.DataFrame(rows).sort_values(["start", "rate"], ignore_index=True)
