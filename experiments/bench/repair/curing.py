"""The cure: what the diagnosis proposes, under a budget of trainings, the simplest of what is best taken by the training examples alone."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.config.run import Run
from experiments.diagnosis import remedies
from experiments.diagnosis.causes import remedies_of
from experiments.diagnosis.evidence import causes_of
from experiments.diagnosis.outcome import LEAST_SKILL
from experiments.text.numbers import missing

BUDGET = 3
"""Trainings that a repair may cost, each as long as the net's own: what AutoTrainer's takes."""

WHOLE = ("linear_net", "small_net")
"""Files of conf/remedy that change everything that a cause may point to at once, the simplest net first."""

OTHERS = ("anew",)
"""Those that do and are not tried here: they keep a deep net, which fits the training examples as well and others less well."""


@dataclass(frozen=True)
class Attempt:
    """Hold a change of an ill net that is to be tried.

    Args:
        remedy: name of its file in conf/remedy.
        run: the net with the change.
    """

    remedy: str
    run: Run


def attempts(run: Run, row: Mapping[Any, Any], budget: int = BUDGET) -> list[Attempt]:
    """Return what is tried on an ill net, in order.

    Its causes point to remedies. Where a single cause holds, the first change that mends it alone comes first, since it is the
    cheapest; where several do, mending one leaves the others, and what changes all of them at once comes first. The order is that in
    which `best` prefers what does equally well.

    Args:
        run: the ill net.
        row: of the runs table, with its causes.
        budget: attempts at most.
    """
    found = causes_of(row)
    pointed = [name for name in remedies_of(cause["cause"] for cause in found) if name not in (*WHOLE, *OTHERS)]
    whole = _of(run, WHOLE)
    single = _of(run, pointed)
    return ([*single[:1], *whole] if len(found) == 1 else [*whole, *single])[:budget]


def _of(run: Run, names: Sequence[str]) -> list[Attempt]:
    return [Attempt(candidate.levels[0].name, candidate.run) for candidate in remedies.proposed(run, names)]


def best(rows: Sequence[Mapping[Any, Any]]) -> int:
    """Return the place of the first attempt that does as well as any on the training examples; what diverged has no skill.

    Skills that differ by less than LEAST_SKILL are equal: the larger net fits the training examples a little better because it can, and
    not because it knows more. tests/experiments/bench/choosing.py measures it on examples that were held out.

    Args:
        rows: of the runs table, the simplest attempt first.
    """
    skills = [-math.inf if missing(row["skill"]) else float(row["skill"]) for row in rows]
    return next(place for place, skill in enumerate(skills) if skill >= max(skills) - LEAST_SKILL)
