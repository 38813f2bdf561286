"""The targets are far from the size of what the net puts out.

The error, and with it every gradient, is as large as the targets; under a rule that moves each weight by about η a step, such as Adam,
outputs of that size are out of reach.
"""

from experiments.diagnosis.causes.cause import Cause
from experiments.diagnosis.life import Life
from experiments.diagnosis.outcome import Outcome
from experiments.diagnosis.rule import Signal

WEIGHT = 78
REMEDIES = ("scale_target",)

LARGE = 5.0
"""Root mean square of the targets from which on they are called large; a net of unit inputs puts out about 1."""


def find(life: Life, signal: Signal, outcome: Outcome) -> Cause | None:
    """Find regression targets whose root mean square is large, where the run is ill."""
    rms = life.number("target_rms")
    if life.loss.takes_logits or not outcome.ill or not rms >= LARGE:
        return None
    low, high = life.number("target_low"), life.number("target_high")
    words = f"the targets run from {low:.3g} to {high:.3g}, of root mean square {rms:.3g} where the net puts out about 1"
    return Cause("start", words, rms)
