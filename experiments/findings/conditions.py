"""The named conditions that a verdict is made of: each says whether it holds, and by which numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Condition:
    """Hold one condition of a rule.

    Args:
        name: a few words: what must be so.
        holds: whether it is so; None where there was nothing to decide it by.
        evidence: the numbers that decided.
    """

    name: str
    holds: bool | None
    evidence: str

    def __post_init__(self) -> None:
        if self.holds is not None:
            object.__setattr__(self, "holds", bool(self.holds))  # of numpy's, which JSON does not know
        if not self.name or not self.evidence:
            raise ValueError(f"a condition needs a name and evidence, got {self.name!r} and {self.evidence!r}")


def bounded(
    name: str,
    values: Any,
    *,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> Condition:
    """Return the condition that every value lies between bounds.

    Args:
        name: of the condition.
        values: a number or many. One that is not a number (NaN) lies nowhere, so that the condition fails; where there are no values
            nothing is decided.
        least: the smallest value that is allowed, or None.
        most: the largest.
        above: what every value must exceed, or None.
        below: what every value must stay under.

    Raises:
        ValueError: no bound is given.
    """
    bounds = {"≥": (least, np.greater_equal), "≤": (most, np.less_equal), ">": (above, np.greater), "<": (below, np.less)}
    asked = {sign: (float(bound), compare) for sign, (bound, compare) in bounds.items() if bound is not None}
    if not asked:
        raise ValueError(f"{name}: a condition of values needs a bound: least, most, above or below")
    numbers = np.atleast_1d(np.asarray(values, dtype=float)).ravel()
    needed = " and ".join(f"{sign} {bound:.6g}" for sign, (bound, _) in asked.items())
    if not len(numbers):
        return Condition(name, None, f"no value, needed {needed}")
    inside = np.logical_and.reduce([compare(numbers, bound) for bound, compare in asked.values()])
    known = numbers[~np.isnan(numbers)]
    ends = dict.fromkeys(f"{end:.6g}" for end in (known.min(), known.max())) if len(known) else {"no number": None}
    missing = f", {len(numbers) - len(known)} not a number" if 0 < len(known) < len(numbers) else ""
    of = f" in {len(numbers)} values{missing}" if len(numbers) > 1 else ""
    return Condition(name, bool(inside.all()), f"{' to '.join(ends)}{of}, needed {needed}")


def every(name: str, marks: Any, what: str) -> Condition:
    """Return the condition that something is so in every case.

    Args:
        name: of the condition.
        marks: one truth value a case; a missing one is not true. Where there are no cases nothing is decided.
        what: the cases, in the plural: "seeds".
    """
    flags = [isinstance(mark, (bool, np.bool_)) and bool(mark) for mark in marks]
    return Condition(name, all(flags) if flags else None, f"in {sum(flags)} of {len(flags)} {what}")


def together(conditions: Sequence[Condition]) -> bool | None:
    """Return whether all conditions hold: no as soon as one fails, None where one is undecided or there is none."""
    if any(condition.holds is False for condition in conditions):
        return False
    return None if not conditions or any(condition.holds is None for condition in conditions) else True
