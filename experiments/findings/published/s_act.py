"""The factor of ‖δ‖ per layer of five activations, at equal initialization and at each one's own."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups
from experiments.findings.intervals import geometric_mean
from experiments.store.tables import Results


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare every activation's factor with the sigmoid's.

    Args:
        results: of the sweeps `equal`, `own_xavier` and `own_he`.
        finding: with its threshold and the published factor of ReLU at equal initialization.

    Returns:
        The estimate; its numbers are ReLU's at equal initialization.
    """
    rows = []
    for name, tables in results.items():
        for (activation, init), runs in groups(tables.runs, ["activation", "init"]):
            factor = geometric_mean(runs["delta_factor"])
            rows.append({
                "setting": "equal" if name == "equal" else "own", "activation": activation, "init": init,
                "published": finding.values["relu"] if name == "equal" and activation == "relu" else np.nan,
                "theory": runs["delta_factor_theory"].mean(), **factor.row(),
            })  # fmt: skip
    numbers = pd.DataFrame(rows).sort_values(["setting", "measured"], ignore_index=True)
    above = {str(setting): _least_margin(group) for setting, group in numbers.groupby("setting")}
    off = (numbers["measured"] / numbers["theory"] - 1).abs()
    conditions = [
        *(bounded(f"margin over the sigmoid, {name} initialization", margin, above=0) for name, margin in above.items()),
        bounded("factors off theory's, relatively", off, most=finding.threshold("theory_within")),
        finite(results),
    ]
    relu = numbers[(numbers["setting"] == "equal") & (numbers["activation"] == "relu")].iloc[0]
    sigmoid = numbers[numbers["activation"] == "sigmoid"]["measured"].max()
    return Estimate(
        finding.verdict(conditions),
        f"The sigmoid keeps at most {sigmoid:.3g} of ‖δ‖ per layer; the next activation keeps at least "
        f"{above['equal']:.2g} more at equal and "
        f"{above['own']:.2g} more at its own initialization (ends of intervals); theory is met within {100 * off.max():.2g} %.",
        quantity="factor of ‖δ‖ per layer of ReLU, σ_w = 1",
        published=float(relu["published"]),
        theory=float(relu["theory"]),
        measured=float(relu["measured"]),
        low=float(relu["low"]),
        high=float(relu["high"]),
        interval=f"95 % over {relu['n']:.0f} seeds, of the geometric mean",
        n=int(numbers["n"].sum()),
        tables={"numbers": numbers},
    )


def _least_margin(group: pd.DataFrame) -> float:
    """Return by how much the lowest interval of the others lies above the sigmoid's; NaN fails every comparison."""
    sigmoid = group[group["activation"] == "sigmoid"]["high"].max(skipna=False)
    return float(group[group["activation"] != "sigmoid"]["low"].min(skipna=False) - sigmoid)
