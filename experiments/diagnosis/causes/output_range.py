"""The output activation cannot reach the targets."""

import numpy as np

from experiments.diagnosis.causes.cause import Cause
from experiments.diagnosis.life import Life
from experiments.diagnosis.outcome import Outcome
from experiments.diagnosis.rule import Signal

WEIGHT = 95
REMEDIES = ("linear_output", "scale_target")

SHARE = 0.05
"""How far targets must lie outside, as a share of their own range: a softly missed 0 or 1 is how sigmoids are used."""


def find(life: Life, signal: Signal, outcome: Outcome) -> Cause | None:
    """Find targets outside of the range of φ^L, read off φ itself at ±10⁶, 0 and ±3."""
    with np.errstate(all="ignore"):
        reach = np.asarray(life.output_activation.value(np.array([-1e6, -3.0, 0.0, 3.0, 1e6])), dtype=np.float64)
    floor = float(reach.min()) if reach[0] > -10 else -np.inf
    ceiling = float(reach.max()) if reach[-1] < 10 else np.inf
    low, high = life.number("target_low"), life.number("target_high")
    room = SHARE * max(high - low, abs(high), abs(low))
    if (not outcome.ill and outcome.name != "learns") or not (low < floor - room or high > ceiling + room):
        return None
    missed = high if high > ceiling + room else low
    words = f"the targets run from {low:.3g} to {high:.3g}, and {life.output_activation.name} puts out {floor:.3g} to {ceiling:.3g} only"
    return Cause("start", words, missed, 0, (life.depth + 1,))
