"""Every step is clipped: the threshold, not the gradient, sets the pace."""

import numpy as np

from experiments.diagnosis.causes.cause import Cause
from experiments.diagnosis.life import Life
from experiments.diagnosis.outcome import Outcome
from experiments.diagnosis.rule import Signal

WEIGHT = 45
REMEDIES = ("clipping", "learning_rate")

ALWAYS = 0.95
"""Share of steps: clipping is meant for the exceptions."""


def find(life: Life, signal: Signal, outcome: Outcome) -> Cause | None:
    """Find a run that is stuck and was clipped at nearly every step."""
    clipped = np.asarray(life.steps["clipped"], dtype=np.float64)
    if outcome.name != "stuck" or str(life.run.get("clip")) == "none" or not len(clipped):
        return None
    share = float(np.mean(clipped))
    if share < ALWAYS:
        return None
    with np.errstate(all="ignore"):
        usual = float(np.nanmedian(life.steps["grad_norm"]))
    key = "clip.percentile" if str(life.run.get("clip")) == "percentile" else "clip.threshold"
    words = f"{key}={life.number(key):.3g} acted at {share:.0%} of the steps, whose gradients have a norm of {usual:.3g}"
    return Cause("training", words, share)
