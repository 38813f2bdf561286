"""What became of a run: whether it learned, by the loss that a constant output would have.

*skill* = 1 − J_end/J_baseline, J without the λ term on all training examples, J_baseline that of the best constant output. A
net whose skill is not above chance knows nothing of its input, however far its loss has fallen on the way there.
"""

import math
from dataclasses import dataclass

import numpy as np

from experiments.diagnosis.life import Life

OUTCOMES = ("failed", "diverged", "diverging", "stuck", "untrained", "learns")
ILL = ("failed", "diverged", "diverging", "stuck")

LEAST_SKILL = 0.01
"""Skill that is called learning at least: a hundredth of what there is to explain."""

MOST_CHANCE = 0.2
"""Skill that chance is believed to give at most, in data of a handful of examples."""

FAR_ABOVE = 10.0
"""How far above its start a loss must end to be called diverging: an order of magnitude is no wobble."""

HALVED = 0.5
"""Where the best constant output has no loss at all, skill does not exist, and learning is to halve the loss at least."""


@dataclass(frozen=True)
class Outcome:
    """Hold what became of a run, and why it is called so in half a sentence."""

    name: str
    reason: str

    @property
    def ill(self) -> bool:
        """Return whether it is an outcome that nobody wants."""
        return self.name in ILL


def chance(outputs: int, examples: int) -> float:
    """Return the skill that must be exceeded to be more than chance.

    A direction of the inputs that means nothing still explains about outputs/(2·examples) of the loss on the examples that
    it was fitted to (half of a χ² with a degree of freedom an output); twice that is asked for.

    Args:
        outputs: n_L.
        examples: m of the training set.

    Returns:
        LEAST_SKILL … MOST_CHANCE.
    """
    return min(max(LEAST_SKILL, outputs / max(examples, 1)), MOST_CHANCE)


def data_loss(life: Life, row: int) -> float:
    """Return J of a row without its λ term, (λ/2) Σ_l ‖W^l‖²."""
    loss = float(life.steps["loss"][row])
    decay = life.number("weight_decay")
    if not decay > 0:
        return loss
    with np.errstate(all="ignore"):
        return loss - 0.5 * decay * float(np.sum(life.at("weight_norm", row)[1:] ** 2))


def judge_outcome(life: Life) -> Outcome:
    """Tell what became of a run.

    Args:
        life: of the run, with status, skill, baseline_loss, n_outputs and n_examples in its row.

    Returns:
        One of OUTCOMES, with its reason.
    """
    status = str(life.run["status"])
    if status == "failed":
        return Outcome("failed", "the run failed")
    if status == "diverged":
        step = int(life.number("diverged_at_step"))
        return Outcome("diverged", f"left the finite numbers at step {step}")
    if not life.trained:
        return Outcome("untrained", "no update was made")
    baseline, skill = life.number("baseline_loss"), life.number("skill")
    start, end = data_loss(life, 0), data_loss(life, -1) if math.isnan(skill) else (1 - skill) * baseline
    if end > FAR_ABOVE * start and (math.isnan(baseline) or end > baseline):
        return Outcome("diverging", f"the loss grew from {start:.3g} to {end:.3g}")
    if math.isnan(skill):
        fell = end <= HALVED * start
        return Outcome("learns" if fell else "stuck", f"the loss went from {start:.3g} to {end:.3g}")
    if skill > chance(int(life.number("n_outputs")), int(life.number("n_examples"))):
        return Outcome(
            "learns", f"its loss of {end:.3g} explains {_percent(skill)} of what the best constant output leaves, {baseline:.3g}"
        )
    worse = "is worse than" if skill < -LEAST_SKILL else "is no better than"
    return Outcome("stuck", f"its loss of {end:.3g} {worse} that of the best constant output, {baseline:.3g}")


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
