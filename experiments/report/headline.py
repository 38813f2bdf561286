"""The opening sentences of a report, computed from its tables: what was swept, and what came out strongest."""

import math
from typing import Any

import numpy as np
import pandas as pd

from experiments.diagnosis.groups import common_causes, summarize_groups
from experiments.figures.data.roles import independent, levels, listing
from experiments.report import diagnosis
from experiments.store.tables import Results
from experiments.text.numbers import count, grouped, label, number, percent

_MEANING = {
    "vanishing": "δ vanishes toward the input",
    "exploding": "δ explodes toward the input",
    "saturated": "δ vanishes because units are saturated",
    "dead": "a whole layer is dead",
    "underflowed": "δ falls below the smallest number",
    "diverged": "training diverges",
    "diverging": "the loss grows and grows",
    "stuck": "the net is no better than a constant",
    "zero_weights": "weights are zero, and so is δ",
    "none": "there are fewer than two hidden layers",
    "stable": "δ keeps its size",
}


def setting(row: "pd.Series[Any] | dict[Any, Any]", axes: list[str]) -> str:
    """Write the setting of a row: activation=sigmoid, depth=20."""
    return ", ".join(f"{axis}={label(row[axis])}" for axis in axes if not pd.isna(row[axis])) or "the one setting"


def opening(results: Results, axes: list[str]) -> list[str]:
    """Return what was run and what came out.

    Args:
        results: loaded.
        axes: config columns that vary.

    Returns:
        Three to six plain sentences.
    """
    runs = results.runs
    if len(runs) == 1:
        return [*_single(results), *_training(runs, axes)]
    axes, tied = independent(runs, axes)
    return [_what(runs, axes, list(tied)), *_verdicts(runs, axes), *_factors(runs, axes), *_training(runs, axes)]


def _subject(runs: pd.DataFrame) -> str:
    def of(column: str, noun: str) -> str:
        return f"{noun}{listing(levels(runs[column]))}" if column in runs.columns else ""

    samples = of("data.n_samples", "")
    data = of("data", "") + (f" ({samples} examples)" if samples else "")
    lengths = levels(runs["steps"])
    return (
        f"on {data}, {listing(lengths)} {'step' if lengths == [1] else 'steps'} each"
        if lengths != [0]
        else f"on {data}, measured at initialization"
    )


def _what(runs: pd.DataFrame, axes: list[str], tied: list[str]) -> str:
    settings = len(runs[axes].drop_duplicates()) if axes else 1
    swept = " × ".join(f"{axis} ({listing(levels(runs[axis]), 8)})" for axis in axes)
    seeds = runs["seed"].nunique()
    what = f"{count(len(runs), 'run')} {_subject(runs)}"
    if not axes:
        return f"{what}: one setting, {count(seeds, 'seed')}."
    along = f" Along with these {'vary' if len(tied) > 1 else 'varies'} {', '.join(tied)}." if tied else ""
    return f"{what}: {count(settings, 'setting')} of {swept}{f', with {seeds} seeds' if seeds > 1 else ''}.{along}"


def _common(part: pd.DataFrame, runs: pd.DataFrame, axes: list[str]) -> str:
    """Say by which levels a part of the runs stands out."""
    words = []
    for axis in axes:
        some, every = levels(part[axis]), levels(runs[axis])
        if len(some) < len(every):
            words.append(f"{axis} {listing(some, 6)}")
    return f" ({'; '.join(words)})" if words else ""


def _verdicts(runs: pd.DataFrame, axes: list[str]) -> list[str]:
    groups = summarize_groups(runs, axes)
    counts = groups["verdict"].value_counts()
    failed = int((runs["status"] == "failed").sum())
    failures = [f"Of {count(len(runs), 'run')}, {grouped(failed)} failed."] if failed else []
    if len(groups) == 1:
        return [f"Judged {groups['verdict'].iloc[0]}: {groups['verdict_reason'].iloc[0]}.", *_outcomes(runs, axes), *failures]
    if len(counts) == 1:
        head = f"All settings are judged {counts.index[0]}: {_MEANING.get(str(counts.index[0]), '')}."
    else:
        parts = []
        for verdict in counts.index:
            part = groups[groups["verdict"] == verdict]
            where = "" if verdict == "stable" else _common(part, runs, axes)
            parts.append(f"{grouped(len(part))} {verdict}{where}")
        head = f"Of {count(len(groups), 'setting')}, {', '.join(parts)}."
    return [*_outcomes(runs, axes), head, *_extremes(groups, axes), *failures]


def _outcomes(runs: pd.DataFrame, axes: list[str]) -> list[str]:
    """Say what became of the runs, and what explains those that did not learn."""
    counts = runs["outcome"].value_counts()
    if not len(counts) or list(counts.index) == ["untrained"]:
        return []
    plural = {"learns": "learn"}
    parts = [
        f"{grouped(int(number))} {plural.get(str(name), name) if number > 1 else name}{_common(runs[runs['outcome'] == name], runs, axes)}"
        for name, number in counts.items()
    ]
    causes = common_causes(runs)
    return [f"Of {count(len(runs), 'run')}, {', '.join(parts)}.", *([f"Causes found: {causes}."] if causes else [])]


def _extremes(groups: pd.DataFrame, axes: list[str]) -> list[str]:
    """Give the reason of the fastest vanishing and of the fastest exploding setting."""
    text = []
    for verdicts, pick in ((("vanishing", "saturated"), "idxmin"), (("exploding",), "idxmax")):
        some = groups[groups["signal"].fillna(groups["verdict"]).isin(verdicts)]  # a net that is stuck has its signal too
        if len(some):
            row = some.loc[getattr(some["delta_factor"], pick)()]
            text.append(f"Strongest ({row['verdict']}, {setting(row, axes)}): {row['verdict_reason']}.")
    return text


def _factors(runs: pd.DataFrame, axes: list[str]) -> list[str]:
    groups = summarize_groups(runs, axes)
    known = groups[np.isfinite(groups["delta_factor"])]
    if not len(known):
        return []
    low, high = known.loc[known["delta_factor"].idxmin()], known.loc[known["delta_factor"].idxmax()]
    if len(known) == 1 or low.name == high.name:
        text = f"From one hidden layer to the one before it the norm of δ changes by a factor of {number(low['delta_factor'])}."
    else:
        text = (
            f"From one hidden layer to the one before it the norm of δ changes by a factor between {number(low['delta_factor'])} "
            f"({setting(low, axes)}) and {number(high['delta_factor'])} ({setting(high, axes)})."
        )
    both = known[np.isfinite(known["delta_factor_theory"])]
    if not len(both):
        return [text]
    with np.errstate(all="ignore"):
        gap = np.abs(np.log(both["delta_factor"] / both["delta_factor_theory"]))
    gap = gap[np.isfinite(gap)]
    if not len(gap):
        return [text]
    worst = both.loc[gap.idxmax()]
    theory = f"Mean-field theory, where it applies ({count(len(gap), 'setting')}), is off by {_percent(gap.median())} in the median"
    if len(gap) > 1:
        theory += f" and by {_percent(gap.max())} at worst ({setting(worst, axes)})"
    return [text, f"{theory}."]


def _percent(log_gap: float) -> str:
    share = 100 * math.expm1(min(log_gap, 50.0))
    return f"{number(share, 2)} %" if share < 1000 else f"a factor of {number(math.exp(min(log_gap, 50.0)), 2)}"


def _training(runs: pd.DataFrame, axes: list[str]) -> list[str]:
    text = []
    gone = runs[runs["status"] == "diverged"]
    if len(gone) and len(runs) > 1:
        first = int(gone["diverged_at_step"].min())
        verb = "left" if len(gone) > 1 else "leaves"
        where = _common(gone, runs, axes)
        text.append(
            f"{count(len(gone), 'run')} of {grouped(len(runs))} {verb} the finite numbers in training, the first at step {first}{where}."
        )
    trained = runs[(runs["steps"] > 0) & runs["test_accuracy"].notna()]
    if not len(trained):
        return text
    groups = summarize_groups(trained, axes)
    best = groups.iloc[int(groups["test_accuracy"].argmax())]
    worst = groups.iloc[int(groups["test_accuracy"].argmin())]
    if len(groups) == 1:
        return [*text, f"After training the mean test accuracy is {percent(best['test_accuracy'], 1)}."]
    return [
        *text,
        f"The best setting reaches a test accuracy of {percent(best['test_accuracy'], 1)} ({setting(best, axes)}), "
        f"the worst that finishes {percent(worst['test_accuracy'], 1)} ({setting(worst, axes)}).",
    ]


def _single(results: Results) -> list[str]:
    run = results.runs.iloc[0]
    hidden = "1 hidden layer" if run["depth"] == 1 else f"{run['depth']} hidden layers"
    text = [f"One run {_subject(results.runs)}: {hidden} of {run['width']} {run['activation']} units, seed {run['seed']}."]
    if run["status"] == "failed":
        return [*text, f"It failed: {str(run['error']).splitlines()[0]}."]
    text += [f"{line[0].upper()}{line[1:]}." for line in (part.strip() for part in diagnosis.lines(run.to_dict()))]
    step0 = results.layers[results.layers["step"] == 0].sort_values("layer")
    norms = step0[step0["layer"] > 0].set_index("layer")["delta_norm"]
    if len(norms) > 1:
        text.append(f"At step 0 the norm of δ is {number(norms.iloc[-1])} at the output and {number(norms.iloc[0])} in layer 1.")
    if pd.notna(run["delta_factor"]):
        interval = (
            f" (95 % interval {number(run['delta_factor_lo'])} to {number(run['delta_factor_hi'])})"
            if pd.notna(run["delta_factor_lo"])
            else ""
        )
        theory = f"; mean-field theory predicts {number(run['delta_factor_theory'])}" if pd.notna(run["delta_factor_theory"]) else ""
        text.append(
            f"From one hidden layer to the one before it, it changes by a factor of {number(run['delta_factor'])}{interval}{theory}."
        )
    return text
