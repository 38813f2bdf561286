"""What remedies did, measured: frames in, frames out; nothing here runs or draws.

A remedy *works* where the outcome is `learns` in nearly all seeds, no run is lost, accuracy (for regressions ln loss) is better than
without it by more than chance, paired over seeds, and, where the net learned before, by at least half of what the best candidate gains;
where nothing is trained, where the verdict on δ becomes stable. What is no better than a constant is no cure, however far its loss fell.
A run that diverged or failed is lost: it counts with accuracy 0, or with the largest loss of the sweep.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bpcore.arrays import FloatArray
from experiments.diagnosis.groups import summarize_groups
from experiments.statistics.intervals import Paired, mean_interval, paired
from experiments.text.numbers import interval, number, percent

SHARE_OF_THE_BEST = 0.5
SMALLEST_GAIN = 0.05
"""Of accuracy; a loss must fall by as much in proportion. Less is no cure, however certain."""

NEARLY_ALL = 0.9
"""Share of the seeds in which a cured net must learn."""

SMALLEST_LOSS = 0.01
"""Of accuracy, from which on a change for the worse is called worse."""

OUTCOMES = ("works", "helps", "uncertain", "no effect", "worse")


@dataclass(frozen=True)
class Conclusions:
    """Hold what is to be said in words.

    Args:
        patient: state of the configuration as it is.
        answer: the cheapest change that works, or that none does.
        best: the candidate that trains best.
        warnings: advice that makes it worse or does nothing.
    """

    patient: str
    answer: str
    best: str
    warnings: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return all sentences."""
        return [line for line in (self.patient, self.answer, self.best, *self.warnings) if line]


def effects(runs: pd.DataFrame, clipped: "pd.Series[float]") -> pd.DataFrame:
    """Measure every candidate against the unchanged configuration.

    Args:
        runs: the runs table with columns `change` (the candidate's label), `n_changes`, `cost`, `reason`, `advice`; the
            unchanged configuration stands first.
        clipped: by run_id, the share of recorded steps that were clipped.

    Returns:
        One row a candidate, best first: change, outcome, ranks by factor, loss and accuracy; factor with interval, theory and
        verdict; loss (geometric mean), accuracies (mean) with intervals; paired effects on |ln factor|, loss (ratio) and accuracy
        (difference) with intervals; n_runs, n_diverged, n_failed, clip_rate.
    """
    runs = _usable(runs)
    groups = summarize_groups(runs, ["change"]).set_index("change", drop=False)
    parts = {str(change): part.sort_values("seed") for change, part in runs.groupby("change", sort=False)}
    base = next(iter(parts.values()))
    rows = []
    for change, part in parts.items():
        group = groups.loc[change]
        row = {name: part[name].iloc[0] for name in ("change", "n_changes", "cost", "advice", "reason", "command") if name in part}
        row |= {name: group[name] for name in _KEPT}
        row |= {"n_failed": int((part["status"] == "failed").sum()), "clip_rate": float(part["run_id"].map(clipped).mean())}
        row |= _levels(part) | _compared(base, part)
        rows.append(row)
    table = pd.DataFrame(rows)
    known = bool(runs["outcome"].notna().any())
    table["cured"] = table["n_learns"] >= NEARLY_ALL * table["n_runs"] if known else True
    table["outcome"] = _outcomes(table, trained=bool((runs["steps"] > 0).all()))
    return _ranked(table)


_KEPT = (
    "n_runs", "delta_factor", "delta_factor_lo", "delta_factor_hi", "delta_factor_theory", "verdict", "verdict_reason", "n_diverged",
    "n_learns", "skill",
)  # fmt: skip


def _usable(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the runs with what counts: no loss of lost runs, accuracy 0 for them, and a score that is larger where training is better."""
    runs = runs.copy()
    lost = runs["status"] != "ok"
    runs["final_loss"] = runs["final_loss"].where(~lost & np.isfinite(runs["final_loss"]))
    if runs["final_accuracy"].notna().any():
        runs["final_accuracy"] = runs["final_accuracy"].where(~lost, 0.0)
        runs["score"] = runs["final_accuracy"]
    else:
        with np.errstate(all="ignore"):
            unit = runs["baseline_loss"].where(runs["baseline_loss"] > 0, 1.0)  # so that targets in another unit are compared fairly
            score = -pd.Series(np.log(runs["final_loss"] / unit), runs.index)
        runs["score"] = score.fillna(score.min())
    return runs


def _column(part: pd.DataFrame, name: str) -> FloatArray:
    return part[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _levels(part: pd.DataFrame) -> dict[str, float]:
    row: dict[str, float] = {}
    for name, column in (("accuracy", "final_accuracy"), ("test_accuracy", "test_accuracy")):
        interval = mean_interval(_column(part, column))
        row |= {name: interval.value, f"{name}_lo": max(interval.low, 0.0), f"{name}_hi": min(interval.high, 1.0)}
    with np.errstate(all="ignore"):
        interval = mean_interval(np.log(_column(part, "final_loss")))
        row |= {name: float(np.exp(end)) for name, end in _ends("loss", interval.value, interval.low, interval.high).items()}
    return row


def _ends(name: str, value: float, low: float, high: float) -> dict[str, float]:
    return {name: value, f"{name}_lo": low, f"{name}_hi": high}


def _compared(base: pd.DataFrame, part: pd.DataFrame) -> dict[str, float]:
    """Pair a candidate with the unchanged configuration, seed by seed."""
    both = base[["seed", *_PAIRED]].merge(part[["seed", *_PAIRED]], on="seed", suffixes=("_before", "_after"))

    def of(name: str, ratio: bool = False) -> Paired:
        before, after = (_column(both, f"{name}_{when}") for when in ("before", "after"))
        if name == "delta_factor":
            with np.errstate(all="ignore"):
                before, after = np.abs(np.log(before)), np.abs(np.log(after))
        return paired(before, after, ratio)

    row: dict[str, float] = {}
    for name, comparison in (
        ("effect_factor", of("delta_factor")),
        ("effect_loss", of("final_loss", ratio=True)),
        ("effect_accuracy", of("final_accuracy")),
        ("effect_score", of("score")),
    ):
        effect = comparison.effect
        row |= _ends(name, effect.value, effect.low, effect.high) | {f"{name}_direction": comparison.direction}
    return row


_PAIRED = ("delta_factor", "final_loss", "final_accuracy", "score")


def _outcomes(table: pd.DataFrame, trained: bool) -> list[str]:
    """Return works, helps, uncertain, no effect or worse for every row, the first being the unchanged configuration."""
    lost = table["n_diverged"] + table["n_failed"]
    if not trained:
        better, worse = table["effect_factor_direction"] < 0, table["effect_factor_direction"] > 0
        works = better & (table["verdict"] == "stable") & (table["verdict"].iloc[0] != "stable")
        unsettled = ~better & ~worse & (table["effect_factor"] != 0)
    else:
        gain, sign = table["effect_score"], table["effect_score_direction"]
        better = (sign > 0) & (gain >= SMALLEST_GAIN)
        sound = better & (lost == 0) & table["cured"]
        from_nothing = not bool(table["cured"].iloc[0])
        works = sound & (from_nothing | (gain >= SHARE_OF_THE_BEST * (gain[sound].max() if sound.any() else math.inf)))
        worse = ((sign < 0) & (gain <= -SMALLEST_LOSS)) | (2 * (lost - lost.iloc[0]) >= table["n_runs"])
        unsettled = (sign == 0) & (gain.abs() >= SMALLEST_GAIN)
    words = np.select([works, better, worse, unsettled], ["works", "helps", "worse", "uncertain"], "no effect")
    return ["no effect", *(str(word) for word in words[1:])]


def _ranked(table: pd.DataFrame) -> pd.DataFrame:
    with np.errstate(all="ignore"):
        distance = pd.Series(np.abs(np.log(table["delta_factor"].to_numpy(dtype=np.float64))), index=table.index)
    table["rank_factor"] = distance.rank(method="min", na_option="bottom").astype(int)
    table["rank_loss"] = table["loss"].rank(method="min", na_option="bottom").astype(int)
    table["rank_accuracy"] = table["accuracy"].rank(method="min", ascending=False, na_option="bottom").astype(int)
    place = table["outcome"].map(OUTCOMES.index)
    order = pd.DataFrame({
        "place": place, "s": -table["skill"].astype(float), "a": table["rank_accuracy"], "l": table["rank_loss"], "f": table["rank_factor"],
    })  # fmt: skip
    return table.loc[order.sort_values(["place", "s", "a", "l", "f"], kind="stable").index].reset_index(drop=True)


def conclude(table: pd.DataFrame, clip_share: float) -> Conclusions:
    """Say in words what the table shows.

    Args:
        table: as `effects` returns it.
        clip_share: of steps that clipping alone changed; NaN where it was not tried.

    Returns:
        The conclusions.
    """
    base = table[table["n_changes"] == 0].iloc[0]
    rest = table[table["n_changes"] > 0]
    patient = f"unchanged: {base['verdict']}: {base['verdict_reason']}; {_training(base)}"
    working = rest[rest["outcome"] == "works"]
    if len(working):
        cheapest = working.sort_values(["n_changes", "cost", "rank_accuracy", "rank_loss"], kind="stable").iloc[0]
        did = f"{_gradient(base, cheapest)}; {_training(cheapest)}"
        answer = f"the cheapest change that works: {cheapest['change']}: {did}; {cheapest['reason']}"
        answer += f"; to be typed: {cheapest['command']}" if cheapest.get("command") else ""
        best = working.sort_values(["rank_accuracy", "rank_loss"], kind="stable").iloc[0]
        text = "" if best["change"] == cheapest["change"] else f"the best: {best['change']}: {_gradient(base, best)}; {_training(best)}"
    else:
        helping = rest[rest["outcome"] == "helps"]
        answer, text = "none of the remedies helps, alone or in pairs", ""
        if base["verdict"] in ("stable", "none") and base["cured"] and not len(helping):
            answer = "there is nothing to cure: δ keeps its size, and no change trains better by more than chance"
        elif not base["cured"] and not len(helping):
            answer = "the net does not learn, and none of what was tried makes it, alone or in pairs"
        if len(helping):
            most = helping.iloc[0]
            answer = "none of the remedies cures it, alone or in pairs"
            text = f"the most that one does: {most['change']}: {_gradient(base, most)}; {_training(most)}, {_lost(most)}"
    return Conclusions(patient, answer, text, tuple(_warnings(base, rest[rest["n_changes"] == 1], clip_share)))


def _training(row: "pd.Series[Any]") -> str:
    if math.isnan(row["loss"]):
        return "not trained"
    learns = f", {int(row['n_learns'])} of {int(row['n_runs'])} runs learn" if not math.isnan(row["skill"]) else ""
    accuracy = "" if math.isnan(row["accuracy"]) else f", accuracy {number(row['accuracy'])}"
    return f"loss {number(row['loss'])}{accuracy}{learns}"


def _gradient(base: "pd.Series[Any]", row: "pd.Series[Any]") -> str:
    if math.isnan(base["delta_factor"]) and math.isnan(row["delta_factor"]):
        return f"δ per layer –, {row['verdict']}"
    if row["delta_factor"] == base["delta_factor"]:
        return f"δ per layer stays {number(row['delta_factor'])}×"
    return f"δ per layer {_factor(base)} → {_factor(row)}, {row['verdict']}"


def _factor(row: "pd.Series[Any]") -> str:
    return "–" if math.isnan(row["delta_factor"]) else f"{number(row['delta_factor'])}×"


def _warnings(base: "pd.Series[Any]", singles: pd.DataFrame, clip_share: float) -> list[str]:
    """Return a sentence for each advice that makes it worse, and one on those that change nothing."""
    text, idle, open_ = [], [], []
    for _, row in singles.sort_values("cost", kind="stable").iterrows():
        trains_worse = row["outcome"] == "worse"
        further = row["effect_factor_direction"] > 0 and row["verdict"] != "stable"
        start = f"the advice “{row['advice']}” ({row['change']})"
        if trains_worse and further:
            text.append(f"{start} makes it worse: {_gradient(base, row)}; {_training(row)}, {_lost(row)}; {row['reason']}")
        elif trains_worse:
            text.append(f"{start} makes training worse: {_training(row)}, {_lost(row)}; {row['reason']}")
        elif further:
            text.append(f"{start} carries δ further from a steady size: {_gradient(base, row)}; {row['reason']}")
        elif row["outcome"] == "no effect":
            acted = "it never acts" if clip_share == 0 else f"it acts in {percent(clip_share)} of the recorded steps"
            what = acted if "clip=" in row["change"] else _gradient(base, row)
            idle.append(f"{row['change']} ({what})")
        elif row["outcome"] == "uncertain":
            ends = interval(row["effect_score_lo"], row["effect_score_hi"], 2)
            open_.append(f"{row['change']} ({_gradient(base, row)}; gain {number(row['effect_score'], 2)}, 95 % {ends})")
    if idle:
        text.append(f"without effect on training, alone: {'; '.join(idle)}")
    if open_:
        text.append(f"not settled by {int(base['n_runs'])} seeds, more --seeds would: {'; '.join(open_)}")
    return text


def _lost(row: "pd.Series[Any]") -> str:
    lost = int(row["n_diverged"] + row["n_failed"])
    return f"{lost} of {int(row['n_runs'])} runs lost" if lost else "no run lost"
