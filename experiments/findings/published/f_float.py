"""After how many layers δ of a sigmoid net is subnormal, and after how many exactly zero."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded, every
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, layers_at
from experiments.findings.intervals import mean
from experiments.statistics.intervals import Interval
from experiments.store.tables import Results

FORMATS: dict[str, type[np.float32] | type[np.float64]] = {"single": np.float32, "double": np.float64}
EVENTS = ("subnormal", "zero")


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Count layers from the output until δ is subnormal and until it is zero.

    Args:
        results: of the sweeps `single` and `double`.
        finding: with its thresholds and values.

    Returns:
        The estimate; its numbers are the layers to exact zero in single precision.
    """
    rows = []
    profiles = []
    for name, tables in results.items():
        layers = _below_output(tables)
        profiles.append(layers.assign(format=name))
        limits = np.finfo(FORMATS[name])
        top = float(np.exp(np.log(layers[layers["below"] == 0]["delta_rms"]).mean()))
        for event, least in zip(EVENTS, (limits.smallest_normal, limits.smallest_subnormal), strict=True):
            count = _first(layers, event, float(limits.smallest_normal))
            rows.append({
                "format": name, "event": event, "published": finding.values.get(name, {}).get(event, np.nan),
                "theory": predicted(float(np.log(least)), top, finding.values["sqrt_chi"]), **count.row(),
            })  # fmt: skip
    numbers = pd.DataFrame(rows)
    single, double = (numbers[numbers["format"] == name] for name in FORMATS)
    layers, share = finding.threshold("layers_within"), finding.threshold("share_within")
    conditions = [
        bounded("single precision: layers off the published count", (single["measured"] - single["published"]).abs(), most=layers),
        bounded("single precision: layers off the formula", (single["measured"] - single["theory"]).abs(), most=layers),
        bounded("double precision: share off the formula", (double["measured"] / double["theory"] - 1).abs(), most=share),
        every("every net underflows", numbers["n"] == [len(results[name].runs) for name in numbers["format"]], "counts"),
        finite(results),
    ]
    zero = single[single["event"] == "zero"].iloc[0]
    words = "; ".join(
        f"{name} precision {rows['measured'].iloc[0]:.4g} and {rows['measured'].iloc[1]:.4g} layers (formula "
        f"{rows['theory'].iloc[0]:.1f} and "
        f"{rows['theory'].iloc[1]:.1f})"
        for name, rows in (("single", single), ("double", double))
    )
    return Estimate(
        finding.verdict(conditions),
        f"Until subnormal and until zero: {words}.",
        quantity="layers until δ is exactly zero, single precision",
        published=float(zero["published"]),
        theory=float(zero["theory"]),
        measured=float(zero["measured"]),
        low=float(zero["low"]),
        high=float(zero["high"]),
        interval=f"95 % over {zero['n']:.0f} seeds, of the mean",
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "profile": pd.concat(profiles, ignore_index=True)[["format", "below", "delta_rms", "zero"]]},
    )


def predicted(ln_least: float, top: float, sqrt_chi: float) -> float:
    """Return ln(least/rms₀)/ln√χ, the layers from the output until the root mean square of δ is that small."""
    return 1 + (ln_least - float(np.log(top))) / float(np.log(sqrt_chi))


def _below_output(tables: Results) -> pd.DataFrame:
    """Return the hidden layers with `below`, the layers between each and the top hidden layer."""
    hidden = layers_at(tables, 0, ["depth"])
    return hidden.assign(below=hidden["depth"] - hidden["layer"])


def _first(layers: pd.DataFrame, event: str, tiny: float) -> Interval:
    """Return the mean over runs of the number of layers from the output at which the event is first seen; runs without it do not count."""
    seen = layers["delta_rms"] < tiny if event == "subnormal" else layers["zero"] >= 1
    return mean(layers[seen].groupby("run_id")["below"].min() + 1)
