"""The diagnosis of a run: its life goes in; signal, outcome, causes and verdict come out."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from experiments.diagnosis.causes import ask_for_the_sharpness, causes_of, with_the_sharpness
from experiments.diagnosis.causes.cause import Cause
from experiments.diagnosis.life import Life
from experiments.diagnosis.outcome import HALVED, Outcome, judge_outcome, without_decay
from experiments.diagnosis.rule import Signal
from experiments.diagnosis.signal import Nature, can_die, judge, signal_factor
from experiments.diagnosis.verdict import Verdict, verdict
from experiments.text.plain import as_json


@dataclass(frozen=True)
class Diagnosis:
    """Hold the answers to three questions, and the one word.

    Args:
        signal: what δ was at initialization.
        outcome: what became of the run.
        causes: what explains it, the weightiest first.
        verdict: the one word on it.
    """

    signal: Signal
    outcome: Outcome
    causes: tuple[Cause, ...]
    verdict: Verdict

    def columns(self) -> dict[str, Any]:
        """Return the columns of the runs table that hold it."""
        return {
            "signal": self.signal.name,
            "signal_reason": self.signal.reason,
            "outcome": self.outcome.name,
            "skill": self.outcome.skill,
            "causes": as_json([cause.row() for cause in self.causes], indent=None),
            "verdict": self.verdict.name,
            "verdict_reason": self.verdict.reason,
        }


def diagnose(life: Life) -> Diagnosis:
    """Diagnose a run.

    Args:
        life: of the run, whose row holds the config and what it came to: diverged_at_step, data_loss (J at the end without the λ
            term), baseline_loss, delta_factor, delta_factor_theory and the ranges of inputs and targets.

    Returns:
        The diagnosis.
    """
    ended = life.run.get("diverged_at_step")
    diverged_at = None if ended is None or ended != ended else int(ended)
    flat = frozenset(layer for layer in life.hidden if life.saturates(layer))
    nature = Nature(flat, can_die(life.output_activation), life.normalized, life.span, life.joined, life.bypassed)
    step0: Mapping[str, Any] = life.step0()
    signal = judge(step0, signal_factor(step0, nature), diverged_at == 0, life.number("delta_factor_theory"), nature)
    start = _start(life)
    outcome = judge_outcome(
        diverged_at,
        int(life.run["steps"]),
        start,
        life.number("data_loss"),
        life.number("baseline_loss"),
        life.outputs,
        life.examples,
        start if life.run.get("batch_size") is None else life.number("initial_loss"),
    )
    causes = tuple(causes_of(life, signal, outcome))
    return Diagnosis(signal, outcome, causes, verdict(signal, outcome, causes))


def _start(life: Life) -> float:
    """Return the loss of the first batch, without the λ term."""
    return without_decay(float(life.steps["loss"][0]), life.number("weight_decay"), life.step0()["weight_norm"])


FEWEST_STEPS = 20
"""Of a run whose learning rate is in question: one of fewer steps was not given the time to show it, and is not worth another look."""


def questions(life: Life, diagnosis: Diagnosis) -> tuple[str, ...]:
    """Return what is to be measured of a run's start before its diagnosis stands: columns of the runs table that are empty yet.

    The loss on all examples, where a net seems to have learned and its loss is not even half of that of its first batch, whose own
    luck that may be. The sharpness, where the learning rate is in question and the rule has a limit by it.

    Args:
        life: of the run.
        diagnosis: of it, as far as is known.
    """
    asked = []
    by_batches = life.run.get("batch_size") is not None
    if diagnosis.outcome.name == "learns" and by_batches and math.isnan(life.number("initial_loss")):
        asked += ["initial_loss"] * (not life.number("data_loss") <= HALVED * _start(life))
    tried = life.number("steps") >= FEWEST_STEPS
    in_question = tried and ask_for_the_sharpness(diagnosis.causes)
    asked += ["initial_sharpness"] * (in_question and life.limited and math.isnan(life.sharpness))
    return tuple(asked)


def once_more(life: Life, diagnosis: Diagnosis, measured: Collection[str]) -> Diagnosis:
    """Return a diagnosis with what was asked for by `questions` taken into account, as `diagnose` would.

    Args:
        life: of the run, with what was measured since.
        diagnosis: without it.
        measured: names of what was.
    """
    if not measured:
        return diagnosis
    if "initial_loss" in measured:
        return diagnose(life)
    causes = tuple(with_the_sharpness(diagnosis.causes, life, diagnosis.signal, diagnosis.outcome))  # the rest it does not touch
    return replace(diagnosis, causes=causes, verdict=verdict(diagnosis.signal, diagnosis.outcome, causes))
