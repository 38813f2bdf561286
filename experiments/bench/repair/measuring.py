"""The measurement: nets are drawn and trained, diagnosed, repaired and trained again, in results folders that a kill does not lose."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.bench.repair.curing import Attempt, attempts, best
from experiments.bench.repair.nets import ATTAINABLE, LOSSES, NEAR, Drawn, accuracies, chosen, draw, of_data
from experiments.compose.composition import runs_of
from experiments.compose.many import kept_composer
from experiments.config.run import Run
from experiments.diagnosis.evidence import calls_ill, causes_of
from experiments.sweep.execution import execute
from experiments.sweep.invocation import command_line
from experiments.sweep.plan import plan

Row = dict[str, Any]

OF_EACH = 100
"""Ill nets and healthy ones of a data set."""

QUICK = 6
"""Of each with --quick."""

A_ROUND = {True: 1.25, False: 3}
"""Nets that are drawn at once on raw inputs, and on standardized ones, for each that is asked for: all that are needed, and a third."""

ROUNDS = {True: 3, False: 6}
"""At most; then the nets are as many as there are."""


def measure(which: str, folder: Path, of_each: int = OF_EACH, more: Sequence[str] = ()) -> list[Row]:
    """Measure both data sets.

    Args:
        which: first or untouched.
        folder: of the results.
        of_each: ill nets, and healthy ones, at most.
        more: overrides of all nets, after their own.

    Returns:
        One row a data set.
    """
    return [measure_data(data, which, folder, of_each, more) for data in LOSSES]


def measure_data(data: str, which: str, folder: Path, of_each: int, more: Sequence[str] = ()) -> Row:
    """Measure one data set; see `measure`."""
    nets: list[Drawn] = []
    runs: list[Run] = []
    for raw in (True, False):  # healthy ones on raw inputs come first
        size = math.ceil(A_ROUND[raw] * of_each)
        for round_ in range(ROUNDS[raw]):
            drawn = draw(data, which, raw, round_ * size, (round_ + 1) * size)
            nets, runs = nets + drawn, runs + composed(data, drawn, more)
            rows = trained(runs, folder, f"{data}-{which}")
            ill, healthy = chosen(data, nets, rows, of_each)
            if len(ill if raw else healthy) == of_each:
                break
    found = [place for place in ill if calls_ill(rows.iloc[place])]
    tried = {place: attempts(runs[place], rows.iloc[place].to_dict()) for place in found}
    after = repaired(tried, folder, f"{data}-{which}-repair")
    return told(data, which, nets, runs, rows, (ill, healthy), tried, after)


def composed(data: str, nets: Sequence[Drawn], more: Sequence[str] = ()) -> list[Run]:
    """Return the runs of drawn nets, in their order."""
    composer = kept_composer()
    configs = [config for net in nets for config in composer.compose([*net.words, *more])]
    return runs_of(configs)[0]


def trained(runs: Sequence[Run], folder: Path, name: str) -> pd.DataFrame:
    """Train runs, or find them trained; they are added to those of before, so that more nets cost the new ones alone.

    Returns:
        Their rows of the runs table, in the order of the runs.
    """
    distinct = list({run.run_id: run for run in runs}.values())
    distinct = [replace(run, index=place) for place, run in enumerate(distinct)]
    tables, interrupted = execute(plan(distinct, folder / name, extend=True), command_line())
    if interrupted:
        raise KeyboardInterrupt
    return tables.runs.set_index("run_id").loc[[run.run_id for run in runs]].reset_index()


def repaired(tried: dict[int, list[Attempt]], folder: Path, name: str) -> dict[int, tuple[Attempt, float]]:
    """Run all attempts, and return of every net the one that is taken, with its test accuracy."""
    runs = [attempt.run for several in tried.values() for attempt in several]
    if not runs:
        return {}
    rows = trained(runs, folder, name)
    reached = accuracies(rows).to_numpy()
    taken, first = {}, 0
    for place, several in tried.items():
        own = rows.iloc[first : first + len(several)].to_dict("records")
        if own:
            at = best(own)
            taken[place] = several[at], float(reached[first + at])
        first += len(several)
    return taken


def told(
    data: str,
    which: str,
    nets: Sequence[Drawn],
    runs: Sequence[Run],
    rows: pd.DataFrame,
    groups: tuple[list[int], list[int]],
    tried: dict[int, list[Attempt]],
    after: dict[int, tuple[Attempt, float]],
) -> Row:
    """Return what came out, as one row: counts, shares and means."""
    ill, healthy = groups
    before = accuracies(rows).to_numpy()
    ends = np.array([after[place][1] if place in after else before[place] for place in ill])
    one_each = sum(runs[place].steps for place in ill)
    spent = sum(attempt.run.steps for several in tried.values() for attempt in several)
    kept = [place for place in after if after[place][0].run.depth == runs[place].depth and after[place][0].run.width == runs[place].width]
    near = ATTAINABLE[data] - NEAR
    return {
        "data": data,
        "set": which,
        "drawn": len(nets),
        "ill": len(ill),
        "healthy": len(healthy),
        "healthy_standardized": sum(not nets[place].raw for place in healthy),
        "detected": len(tried),
        "accused": sum(calls_ill(rows.iloc[place]) for place in healthy),
        "repaired": int((ends >= near).sum()),
        "kept": sum(after[place][1] >= near for place in kept),
        "before": float(before[ill].mean()) if ill else float("nan"),
        "after": float(ends.mean()) if ill else float("nan"),
        "cost": spent / one_each if one_each else float("nan"),
        "causes": dict(Counter(cause["cause"] for place in ill for cause in causes_of(rows.iloc[place].to_dict())).most_common()),
        "taken": dict(Counter(attempt.remedy for attempt, _ in after.values()).most_common()),
        "missed": [_typed(runs[place]) for place in ill if place not in tried],
        "wrongly_accused": [_typed(runs[place]) for place in healthy if calls_ill(rows.iloc[place])],
        "not_repaired": [_typed(runs[place]) for place, end in zip(ill, ends, strict=True) if end < near],
    }


def _typed(run: Run) -> str:
    """Return a net as it is typed, without what all of its data set have in common."""
    common = {word.partition("=")[0] for word in of_data("circle")}
    return " ".join(word for word in run.overrides if word.partition("=")[0] not in common)
