"""Whether He's initialization keeps δ where units are dropped: a popular piece of advice."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.findings.intervals import mean
from experiments.store.tables import Results


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Estimate what becomes of ‖δ‖² from the last hidden layer to the first, by rate.

    Args:
        results: of the sweep `rates`.
        finding: with its thresholds.

    Returns:
        The estimate; its numbers are those of the highest rate.
    """
    tables = results["rates"]
    numbers = _numbers(tables)
    within = float(finding.threshold("kept_within"))
    totals = [numbers[end] ** numbers["layers"] for end in ("low", "high")]
    off = (numbers["measured"] / numbers["theory"] - 1).abs()
    worst = numbers.iloc[-1]
    total = worst["measured"] ** worst["layers"]
    return Estimate(
        finding.verdict(
            [bounded("ends of the ratio's interval", pd.concat(totals), least=1 / within, most=within), finite(results)],
            against=[bounded("growth per layer off 1/p, relatively", off, most=finding.threshold("rate_within"))],
        ),
        f"‖δ‖² grows by {', '.join(f'{value:.3g}' for value in numbers['measured'])} per layer at rates "
        f"{', '.join(f'{rate:g}' for rate in numbers['rate'])}: by {total:.2g} over {worst['layers']:.0f} layers at the highest.",
        quantity=f"factor of ‖δ‖² per layer at dropout.rate={worst['rate']:g}",
        published=float(finding.values["ratio"]),
        theory=float(worst["theory"]),
        measured=float(worst["measured"]),
        low=float(worst["low"]),
        high=float(worst["high"]),
        interval=f"95 % over {worst['n']:.0f} seeds, of the mean of ‖δ‖²",
        n=len(tables.runs),
        tables={"numbers": numbers},
    )


def _numbers(tables: Results) -> pd.DataFrame:
    """Return one row a rate: 1/p, and the measured factor of ‖δ‖² per layer with its interval, over so many layers."""
    norms = tables.layers[tables.layers["step"] == 0].set_index(["run_id", "layer"])["delta_norm"]
    rows = []
    for (rate,), group in groups(tables.runs, ["dropout.rate"]):
        depth = int(group["depth"].iloc[0])
        total = mean(np.array([(norms[run, 1] / norms[run, depth]) ** 2 for run in group["run_id"]], dtype=float))
        with np.errstate(invalid="ignore"):
            measured, low, high = (float(np.float64(end) ** (1 / (depth - 1))) for end in (total.value, max(total.low, 0.0), total.high))
        row = {"rate": rate, "layers": depth - 1, "theory": 1 / (1 - rate), "measured": measured, "low": low, "high": high, "n": total.n}
        rows.append(row)
    return pd.DataFrame(rows)
