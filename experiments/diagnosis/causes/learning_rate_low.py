"""The learning rate is too low, or the run too short: the weights have hardly moved."""

import math

import numpy as np

from experiments.diagnosis.causes.cause import Cause
from experiments.diagnosis.life import Life
from experiments.diagnosis.outcome import Outcome
from experiments.diagnosis.rule import Signal

WEIGHT = 40
REMEDIES = ("learning_rate",)

SAYS_A_RATE = True
"""The largest stable one, where the sharpness is known: which is measured for it, and does not decide whether this holds."""

HARDLY = 0.03
"""Relative length of the whole way of the most mobile layer below which weights are said to have hardly moved: what is
learned is a change of the weights, of their own order where features are learned and some hundredths of it at the least."""


def find(life: Life, signal: Signal, outcome: Outcome) -> Cause | None:
    """Find a way that is too short, the sum of ‖ΔW‖/‖W‖ over all steps, in every layer, though δ reaches some."""
    if outcome.name != "stuck":
        return None
    ratios = life.layers["update_ratio"][:-1, 1:]
    finite = np.isfinite(ratios)
    if not finite.any():
        return None
    steps, counts = int(life.step[-1]), finite.sum(axis=0)
    way = float((np.where(finite, ratios, 0.0).sum(axis=0) / np.maximum(counts, 1)).max()) * steps
    if not 0 <= way < HARDLY or not (life.at("weight_grad_norm", 0)[1:] > 0).any():
        return None
    limit = life.stable_rate()
    room = f"; the largest stable one is about {limit:.2g}" if math.isfinite(limit) else ""
    words = f"in {steps} steps at lr={life.number('lr'):.3g} no layer's weights moved by more than {way:.2g} of their size{room}"
    return Cause("training", words, way, 0)
