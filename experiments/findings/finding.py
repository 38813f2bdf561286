"""What a finding is: what is claimed, how it is measured, by which rule it is judged, and what comes out."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from experiments.findings.conditions import Condition, together

VERDICTS = {
    "reproduced": "the acceptance rule holds",
    "caveat": "the acceptance rule holds, with the caveat that is stated",
    "refuted": "a popular claim that the measurement contradicts",
    "not_reproduced": "the acceptance rule does not hold",
    "not_testable": "the measurement decides nothing: too few runs came through, or none could be made",
}

CERTAINTIES = {
    "read": "the number was read in the source itself",
    "secondary": "the number was read in a text that quotes the source",
    "recalled": "the number is quoted from memory; nobody has opened the source for it",
    "derived": "the number follows by algebra",
}

KNOBS = {
    "depth": "depth",
    "width": "width",
    "activation": "activation",
    "init": "initialization",
    "lr": "learning rate",
    "clip": "clipping",
    "bn": "batch normalization",
    "dropout": "dropout",
    "ln": "LayerNorm and RMSNorm",
    "skip": "skip connections",
    "loss": "loss",
    "optimizer": "optimizer",
    "parametrization": "parametrization",
}

MODES = ("quick", "default", "full")


@dataclass(frozen=True)
class Threshold:
    """Hold a number of the acceptance rule, and why it is that number."""

    value: Any
    reason: str


@dataclass(frozen=True)
class Sweep:
    """Hold one sweep of a finding as Hydra overrides.

    Args:
        name: unique in the finding.
        overrides: of every mode.
        modes: quick, default and full -> the overrides that are added.
        data: alternatives, best first, each a list of overrides; the first whose files are there is taken.
    """

    name: str
    overrides: tuple[str, ...]
    modes: Mapping[str, tuple[str, ...]]
    data: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Finding:
    """Hold a finding as its conf file states it.

    Args:
        id: lower case with underscores, the name of its files.
        title: a few words.
        claim: one sentence.
        source: who published it, and where.
        certainty: of CERTAINTIES.
        published: what was published, in words and numbers.
        values: the published numbers that the module compares with.
        knobs: of KNOBS.
        control: whether this is a popular claim that is expected to fail, so that `refuted` is the right outcome.
        sweeps: name -> sweep.
        accept: the acceptance rule.
        reason: why it is this rule.
        refuted_if: what would refute the claim.
        thresholds: name -> the numbers of the rule.
        caveat: what must be said even where the rule holds; empty where nothing.
    """

    id: str
    title: str
    claim: str
    source: str
    certainty: str
    published: str
    values: Mapping[str, Any]
    knobs: tuple[str, ...]
    control: bool
    sweeps: Mapping[str, Sweep]
    accept: str
    reason: str
    refuted_if: str
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    caveat: str = ""

    @property
    def label(self) -> str:
        """Return the displayed name: F-NIELSEN-INIT."""
        return self.id.upper().replace("_", "-")

    def threshold(self, name: str) -> Any:
        """Return a number of the acceptance rule.

        Args:
            name: as the conf file calls it.

        Returns:
            Its value.

        Raises:
            KeyError: the conf file states no such threshold.
        """
        return self.thresholds[name].value

    def verdict(self, conditions: Sequence[Condition], against: Sequence[Condition] = (), caveat: str = "") -> "Judgement":
        """Return the verdict that the conditions of the rule come to.

        Args:
            conditions: of the acceptance rule, one or more; it holds where all of them do.
            against: what would refute the claim; it is contradicted where all of them hold.
            caveat: found while measuring.

        Returns:
            reproduced, or caveat where there is one; else refuted for a popular claim that is contradicted; else not_testable where a
            condition had nothing to be decided by and none fails; else not_reproduced.

        Raises:
            TypeError: something else than conditions was given.
            ValueError: there is no condition, or the rule both holds and is contradicted.
        """
        for given in (conditions, against):
            if not isinstance(given, (list, tuple)) or not all(isinstance(one, Condition) for one in given):
                raise TypeError(f"{self.id}: `verdict` takes a list [Condition(name, holds, evidence), …], got {given!r:.80}")
        if not conditions:
            raise ValueError(f"{self.id}: a rule without conditions decides nothing; give `verdict` at least one")
        holds, contradicted = together(conditions), together(against) is True
        if holds and contradicted:
            raise ValueError(f"{self.id}: the rule both holds and is contradicted; its conditions overlap")
        if holds:
            word = "caveat" if caveat or self.caveat else "reproduced"
        elif contradicted and self.control:
            word = "refuted"
        else:
            word = "not_testable" if holds is None else "not_reproduced"
        return Judgement(word, tuple(conditions), tuple(against))


@dataclass(frozen=True)
class Judgement:
    """Hold a verdict with the conditions that it is made of.

    Args:
        verdict: of VERDICTS.
        conditions: of the acceptance rule; only a verdict of not_testable may have none.
        against: what would refute the claim.
    """

    verdict: str
    conditions: tuple[Condition, ...] = ()
    against: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f"`verdict` must be one of {', '.join(VERDICTS)}, got {self.verdict!r}")
        needed = {"reproduced": self.conditions, "caveat": self.conditions, "refuted": self.against}.get(self.verdict)
        if needed is not None and together(needed) is not True:
            missing = ", ".join(one.name for one in needed if not one.holds) or "there is none"
            raise ValueError(f"`{self.verdict}` needs conditions that all hold; not so: {missing}")
        if self.verdict == "not_reproduced" and together(self.conditions) is not False:
            raise ValueError("`not_reproduced` needs a condition that fails")


@dataclass(frozen=True)
class Estimate:
    """Hold what a finding's measurement came to.

    Args:
        judgement: the verdict and its conditions, as `Finding.verdict` makes it.
        reason: one sentence with the numbers that decided.
        quantity: what the numbers below are, with its unit where it has one: "factor of ‖δ‖ per layer".
        published: the number that was published, or None.
        theory: the number that theory gives, or None.
        measured: the number that came out, or None.
        low: lower end of its interval, or None.
        high: upper end.
        interval: which interval, and over what: "95 % over 20 seeds, bootstrap".
        n: runs that it rests on.
        tables: frames; `numbers` is shown on the page, all are written as CSV and given to the figure.
    """

    judgement: Judgement
    reason: str
    quantity: str = ""
    published: float | None = None
    theory: float | None = None
    measured: float | None = None
    low: float | None = None
    high: float | None = None
    interval: str = ""
    n: int = 0
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.judgement, Judgement):
            raise TypeError(f"`judgement` must be what finding.verdict([conditions]) returns, got {self.judgement!r:.80}")
        if not self.reason:
            raise ValueError("`reason` must say in one sentence what decided, got an empty one")
        numbers = (self.low, self.measured, self.high)
        if all(number is not None and math.isfinite(number) for number in numbers) and not self.low <= self.measured <= self.high:  # type: ignore[operator]
            raise ValueError(f"`measured` must lie in its interval, got {self.measured} outside [{self.low}, {self.high}]")

    @property
    def verdict(self) -> str:
        """Return the verdict, of VERDICTS."""
        return self.judgement.verdict


def not_testable(reason: str, n: int = 0) -> Estimate:
    """Return the estimate of a finding that could not be measured.

    Args:
        reason: one sentence.
        n: runs that there were.
    """
    return Estimate(Judgement("not_testable"), reason, n=n)
