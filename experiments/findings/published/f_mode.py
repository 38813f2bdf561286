"""How long a two-layer linear net takes to learn a mode, against the formula of Saxe et al."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from experiments.findings.conditions import bounded, every
from experiments.findings.finding import Estimate, Finding
from experiments.findings.frames import finite, groups, steps_beside
from experiments.store.tables import Results

POINTS = 80
"""Points of a curve that are kept for the figure."""


def estimate(results: Mapping[str, Results], finding: Finding) -> Estimate:
    """Compare the time to nine tenths, the curve on the way, and the order of four modes learned together.

    Args:
        results: of the sweeps `one_mode` and `four_modes`.
        finding: with its thresholds, `values.start` and `values.share`.

    Returns:
        The estimate; its numbers are the time at strength 1.
    """
    one = _one_mode(results["one_mode"])
    numbers = _times(one, float(finding.values["start"]), float(finding.values["share"]))
    together = _four_modes(results["four_modes"])
    times = _half_times(together)
    in_order = (np.diff(times, axis=1) > 0).all(axis=1)
    late = (numbers["measured"] / numbers["published"] - 1).abs()
    off = numbers["curve_error"]
    conditions = [
        bounded("times off the formula's, relatively", late, most=finding.threshold("time_within")),
        bounded("curves off the formula's, relatively", off, most=finding.threshold("curve_within")),
        every("stronger modes are learned first", in_order, "seeds"),
        finite(results),
    ]
    first = numbers.iloc[0]
    return Estimate(
        finding.verdict(conditions),
        f"At {len(numbers)} strengths the time differs from the formula's by at most {100 * late.max(skipna=False):.2g} %, the curve "
        f"by at most {100 * off.max(skipna=False):.2g} %; four modes together are learned "
        f"{'strongest first' if in_order.all() else 'out of order'} in {int(in_order.sum())} of {len(times)} seeds.",
        quantity=f"time to {finding.values['share']:g} s at strength s = {first['strength']:g}, in steps × learning rate",
        published=float(first["published"]),
        theory=float(first["published"]),
        measured=float(first["measured"]),
        n=sum(len(tables.runs) for tables in results.values()),
        tables={"numbers": numbers, "curves": _thin(one), "together": _summary(together)},
    )


def learning_time(strength: float, start: float, end: float) -> float:
    """Return t = (1/2s)·ln[u_f(s − u₀)/(u₀(s − u_f))].

    Source: Saxe et al. 2013, eq. 11, with τ = 1.
    """
    return float(np.log(end * (strength - start) / (start * (strength - end))) / (2 * strength))


def learned(strength: Any, start: Any, time: Any) -> Any:
    """Return u(t) = s/(1 + (s/u₀ − 1)·e^(−2st)), the same formula solved for u."""
    return strength / (1 + (strength / start - 1) * np.exp(-2 * strength * np.asarray(time)))


def _one_mode(tables: Results) -> pd.DataFrame:
    """Return strength, time, measured and theory of every recorded step."""
    rows = steps_beside(tables, ["data.y", "lr", "init.scale"]).sort_values(["data.y", "step"])
    frame = pd.DataFrame({"strength": rows["data.y"].astype(float), "time": rows["step"] * rows["lr"], "measured": rows["mode_1"]})
    frame["theory"] = learned(frame["strength"], (rows["init.scale"] ** 2).to_numpy(), frame["time"])
    return frame.reset_index(drop=True)


def _times(curves: pd.DataFrame, start: float, share: float) -> pd.DataFrame:
    rows = []
    for (strength,), rows_of in groups(curves, ["strength"]):
        error = (rows_of["measured"] / rows_of["theory"] - 1).abs().max(skipna=False)
        rows.append({
            "strength": strength, "published": learning_time(strength, start, share * strength),
            "measured": crossing(rows_of["time"], rows_of["measured"], share * strength), "curve_error": float(error),
        })  # fmt: skip
    return pd.DataFrame(rows)


def crossing(time: Any, values: Any, level: float) -> float:
    """Return when values first reach a level, linearly between rows; NaN where they never do."""
    x, y = np.asarray(time, dtype=float), np.asarray(values, dtype=float)
    above = np.flatnonzero(y >= level)
    if len(above) == 0 or above[0] == 0:
        return float("nan")
    i = int(above[0])
    return float(x[i - 1] + (level - y[i - 1]) / (y[i] - y[i - 1]) * (x[i] - x[i - 1]))


def _four_modes(tables: Results) -> pd.DataFrame:
    """Return one row a run, mode and recorded step: seed, strength, time, strength learned so far."""
    rows = steps_beside(tables, ["seed", "lr", "data.strength", "data.n_modes"])
    parts = []
    for number in range(1, int(rows["data.n_modes"].max()) + 1):
        strength = rows["data.strength"] * (1 - (number - 1) / rows["data.n_modes"])
        parts.append(
            pd.DataFrame({"seed": rows["seed"], "strength": strength, "time": rows["step"] * rows["lr"], "u": rows[f"mode_{number}"]})
        )
    return pd.concat(parts).sort_values(["seed", "strength", "time"], ignore_index=True)


def _half_times(together: pd.DataFrame) -> Any:
    """Return, one row a seed, when each mode passes half its strength, the strongest mode first."""
    times = [
        [crossing(rows["time"], rows["u"], strength / 2) for (strength,), rows in reversed(list(groups(of_seed, ["strength"])))]
        for _, of_seed in groups(together, ["seed"])
    ]
    return np.array(times)


def _thin(curves: pd.DataFrame) -> pd.DataFrame:
    place = curves.groupby("strength").cumcount()
    every = max(1, int(place.max() + 1) // POINTS)
    return curves[place % every == 0].reset_index(drop=True)


def _summary(together: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over seeds, smallest and largest, by strength and time."""
    summary = together.groupby(["strength", "time"])["u"].agg(measured="mean", low="min", high="max").reset_index()
    return _thin(summary)
