"""What became of a run: whether it learned, by the loss that a constant output would have.

*skill* = 1 − J_end/J_baseline, J without the λ term on all training examples, J_baseline that of the best constant output. A
net whose skill is not above chance knows nothing of its input, however far its loss has fallen on the way there. Nor has it learned
anything where it is no better than at its own start: random weights have some skill by luck.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.text.numbers import number, percent

LEAST_SKILL = 0.01
"""Skill that is called learning at least: a hundredth of what there is to explain."""

MOST_CHANCE = 0.2
"""Skill that chance is believed to give at most, in data of a handful of examples."""

FAR_ABOVE = 10.0
"""How many times its start a loss must end at to be called diverging: an order of magnitude is no wobble."""

HALVED = 0.5
"""Where the best constant output has no loss at all, skill does not exist, and learning is to halve the loss at least."""


ILL = ("diverged", "diverging", "stuck")
"""What became of a net that did not learn."""


LITTLE = 0.25
"""Skill below which a net has learned little, a quarter of what there is to explain: the data may hold no more, or it is ill."""


@dataclass(frozen=True)
class Outcome:
    """Hold what became of a run.

    Args:
        name: learns, stuck, diverging, diverged or untrained; a run that failed has no outcome but that.
        skill: 1 − J_end/J_baseline; NaN where it does not exist.
        reason: why it is called so, in half a sentence.
    """

    name: str
    skill: float
    reason: str

    @property
    def ill(self) -> bool:
        """Return whether the net did not learn: stuck, diverging or diverged."""
        return self.name in ILL

    @property
    def poor(self) -> bool:
        """Return whether the net did not learn, or little: where a condition of illness holds besides, it explains that too."""
        return self.ill or (self.name == "learns" and self.skill < LITTLE)


def chance(outputs: int, examples: int) -> float:
    """Return the skill that must be exceeded to be more than chance.

    A direction of the inputs that means nothing still explains about outputs/(2·examples) of the loss on the examples that
    it was fitted to, half of a χ² with a degree of freedom an output; twice that is asked for.

    Args:
        outputs: n_L.
        examples: m of the training set.

    Returns:
        LEAST_SKILL … MOST_CHANCE.
    """
    return min(max(LEAST_SKILL, outputs / max(examples, 1)), MOST_CHANCE)


def without_decay(loss: float, weight_decay: float, weight_norms: Any) -> float:
    """Return J of a row without its λ term, (λ/2) Σ_l ‖W^l‖².

    Args:
        loss: of the row, λ term included.
        weight_decay: λ.
        weight_norms: ‖W^l‖ of the layers 0…L, that of layer 0 NaN.
    """
    if not weight_decay > 0:
        return loss
    with np.errstate(all="ignore"):
        return loss - 0.5 * weight_decay * float(np.nansum(np.asarray(weight_norms, dtype=np.float64) ** 2))


def judge_outcome(
    diverged_at_step: int | None,
    steps: int,
    start: float,
    end: float,
    baseline: float,
    outputs: int,
    examples: int,
    initial: float = math.nan,
) -> Outcome:
    """Tell what became of a run.

    Args:
        diverged_at_step: of the run, or None.
        steps: updates that were asked for.
        start: J at step 0 without the λ term, on the step's batch.
        end: J on all training examples after the last update, without the λ term.
        baseline: J of the best constant output.
        outputs: n_L.
        examples: m of the training set.
        initial: J at step 0 without the λ term on all training examples; NaN where it is not known.

    Returns:
        The outcome.
    """
    if diverged_at_step is not None:
        return Outcome("diverged", math.nan, f"left the finite numbers at step {diverged_at_step}")
    skill = 1 - end / baseline if baseline > 0 else math.nan
    if steps == 0:
        return Outcome("untrained", skill, "no update was made")
    if end > FAR_ABOVE * start and not end <= baseline:
        return Outcome("diverging", skill, f"its loss grew from {number(start)} to {number(end)}")
    if math.isnan(skill):
        return Outcome("learns" if end <= HALVED * start else "stuck", skill, f"its loss went from {number(start)} to {number(end)}")
    against = f"that of the best constant output, {number(baseline)}"
    luck = chance(outputs, examples)
    if skill > luck and end > (1 - luck) * initial:
        own = f"that of its own start, {number(initial)}"
        return Outcome("stuck", skill, f"its loss of {number(end)} is {'worse' if end > (1 + luck) * initial else 'no better'} than {own}")
    if skill > luck:
        return Outcome("learns", skill, f"its loss of {number(end)} is {percent(skill)} below {against}")
    worse = "worse than" if skill < -LEAST_SKILL else "no better than"
    return Outcome("stuck", skill, f"its loss of {number(end)} is {worse} {against}")
