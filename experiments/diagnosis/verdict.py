"""The verdict: the one word on a run or a setting, and one sentence that says signal and outcome with the numbers of the tables.

The outcome speaks where a run did not learn (stuck, diverging, diverged, failed), else the signal. A setting's verdict is what most of
its runs are; only where no name holds in more than half of them is it a state that holds in half, or what the factor over seeds says.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.diagnosis.causes.cause import Cause
from experiments.diagnosis.outcome import ILL, Outcome
from experiments.diagnosis.rule import SEEDS_FOR_AN_INTERVAL, Signal, by_factor, group_factor
from experiments.statistics.factors import Factor
from experiments.statistics.intervals import proportion
from experiments.text.words import words

OUTCOMES = ("failed", *ILL)
"""Those that are the verdict, whatever the signal was."""

STATES = (*OUTCOMES, "zero_weights", "dead", "underflowed")


@dataclass(frozen=True)
class Verdict:
    """Hold a verdict and its reason in one sentence."""

    name: str
    reason: str


def verdict(signal: Signal, outcome: Outcome, causes: Sequence[Cause]) -> Verdict:
    """Say the one word on a run, and why.

    Args:
        signal: at step 0.
        outcome: of the run.
        causes: in order of weight.

    Returns:
        The verdict.
    """
    if outcome.name not in OUTCOMES:
        hindered = f"; yet {words(causes[0].cause)}: {causes[0].evidence}" if causes else ""
        end = "" if outcome.name == "untrained" else f"; the net learns: {outcome.reason}{hindered}"
        return Verdict(signal.name, f"{signal.reason}{end}")
    why = f"; {words(causes[0].cause)}: {causes[0].evidence}" if causes else "; none of the known causes holds"
    return Verdict(outcome.name, f"{outcome.reason}{why}; signal at step 0: {words(signal.name)}")


def judge_group(runs: Mapping[str, Any], factor: Factor | None = None) -> Verdict:
    """Judge runs that differ in their seed alone.

    Args:
        runs: rows of the runs table, `verdict` and `status` among them; a frame or arrays.
        factor: as `group_factor` gives it, where it is known already.

    Returns:
        The verdict.
    """
    factor = group_factor(runs) if factor is None else factor
    names = ["failed" if status == "failed" else str(name) for status, name in zip(runs["status"], runs["verdict"], strict=True)]
    n = len(names)
    usual = max(dict.fromkeys(names), key=names.count)
    most = 2 * names.count(usual) > n
    held = {state: names.count(state) for state in STATES if state in names}
    if (most and usual in STATES) or (not most and 2 * sum(held.values()) >= n):
        state = usual if most else max(held, key=lambda name: held[name])
        return Verdict(state, share(state, names) + (_before(factor) if state in ILL else ""))
    notes = "".join(f"; {count} of {n} runs {words(state)}" for state, count in held.items())
    if factor.count == 0:
        reason = f"{names.count(usual)} of {n} runs are saturated" if usual == "saturated" else _NO_FACTOR
        return Verdict(usual, reason + notes)
    theory = np.asarray(runs["delta_factor_theory"], dtype=np.float64)
    known = theory[np.isfinite(theory)]
    mostly_saturated = "most runs have a saturated layer" if 2 * names.count("saturated") > n else ""
    over = f" over {n} seeds" if n >= SEEDS_FOR_AN_INTERVAL else ""
    found = by_factor(factor, factor.count + 1, float(known.mean()) if len(known) else math.nan, mostly_saturated, over)
    if not most or found.name == usual:
        return Verdict(found.name, found.reason + notes)
    return Verdict(usual, f"{share(usual, names)}; over all of them {found.reason}" + notes)


_NO_FACTOR = "fewer than two hidden layers: there is no factor between hidden layers"


def share(state: str, names: list[str]) -> str:
    """Say in how many runs a state holds, of how many seeds that can be expected, and what the others are."""
    count, n = names.count(state), len(names)
    how, word = "" if state in ("failed", "diverged") else "are ", words(state)
    if n == 1:
        return f"the run {'is ' if how else ''}{word}"
    ends = proportion(count, n)
    others = ", ".join(f"{names.count(name)} {words(name)}" for name in dict.fromkeys(names) if name != state)
    rest = f"; the others: {others}" if others else ""
    return f"{count} of {n} runs {how}{word} (95 % {100 * ends.low:.0f}–{100 * ends.high:.0f} % of all seeds{rest})"


def _before(factor: Factor) -> str:
    """Say what δ was like at step 0 in runs that did not learn."""
    return "" if factor.count == 0 else f"; at step 0, {by_factor(factor, factor.count + 1).reason}"
