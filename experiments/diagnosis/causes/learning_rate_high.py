"""The learning rate is too high: steps overshoot, and the loss grows.

Gradient descent is stable along a direction of curvature λ where η < 2/λ; the largest eigenvalue of the Hessian, the sharpness, sets the
limit. With momentum β it is (2+2β)/λ. Other rules have no such number, and the growth of the loss speaks. Under a schedule it is the
largest rate in force until then that counts.
"""

import math

import numpy as np

from experiments.diagnosis.causes.cause import Cause
from experiments.diagnosis.life import Life
from experiments.diagnosis.outcome import Outcome
from experiments.diagnosis.rule import Signal

WEIGHT = 75
REMEDIES = ("learning_rate", "clipping")

SAYS_A_RATE = True
"""The largest stable one, where the sharpness is known: which is measured for it, and does not decide whether this holds."""

GREW = 3.0
"""How many times its start, and the baseline, a loss must have risen to: minibatches alone make it waver by less."""


def find(life: Life, signal: Signal, outcome: Outcome) -> Cause | None:
    """Find a loss that grew in training, and the sharpness that explains it where there is one."""
    if not outcome.ill or (not life.trained and outcome.name != "diverged") or len(life.step) < 2:
        return None
    losses = life.steps["loss"]
    with np.errstate(all="ignore"):
        top = float(np.nanmax(np.where(np.isfinite(losses[1:]), losses[1:], np.inf)))
    start = float(losses[0])
    if not top > GREW * max(start, life.number("baseline_loss") if life.number("baseline_loss") > 0 else 0.0):
        return None
    row = 1 + int(np.argmax(~(losses[1:] <= GREW * start)))
    step = int(life.step[row])
    grew = f"the loss grew from {start:.3g} to {top:.3g} in training, past {GREW:.0f}× at step {step}"
    rate, sharpness = life.rate_before(row), life.sharpness
    said = f"lr={life.number('lr'):.3g}"
    said += "" if rate == life.number("lr") else f", {rate:.3g} until then by schedule={life.run.get('schedule')},"
    limit = life.stable_rate()
    if math.isfinite(limit) and rate > limit:
        words = f"{said} is above the largest stable one, {limit:.3g} (sharpness {sharpness:.3g} at step 0): {grew}"
        return Cause("training", words, sharpness, step)
    return Cause("training", f"{said.rstrip(',')}: {grew}", top, step)
