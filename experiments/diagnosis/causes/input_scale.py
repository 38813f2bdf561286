"""The inputs are far from unit size.

Initializations and learning rates are made for features of about mean 0 and variance 1. z^1 grows with the inputs, so that units
saturate or die, and the curvature along W^1 with their square, so that only tiny learning rates are stable.
"""

from experiments.diagnosis.causes.cause import Cause
from experiments.diagnosis.life import Life
from experiments.diagnosis.outcome import Outcome
from experiments.diagnosis.rule import Signal

WEIGHT = 80
REMEDIES = ("standardize", "batch_normalization")

LARGE = 5.0
"""Root mean square of the features from which on they are called large: curvature is then 25 times that of unit features."""

SMALL = 0.05
"""And below which they are called small: the first layer hears a twentieth of what it was made for."""


def find(life: Life, signal: Signal, outcome: Outcome) -> Cause | None:
    """Find features whose root mean square is out of all proportion, where the run suffers; normalized layers do not."""
    rms = life.number("input_rms")
    suffers = outcome.poor or signal.name in ("saturated", "dead", "diverged")
    if not suffers or life.normalized or SMALL < rms < LARGE or rms != rms or rms == 0:
        return None
    low, high = life.number("input_low"), life.number("input_high")
    words = f"the inputs run from {low:.3g} to {high:.3g}, of root mean square {rms:.3g} where about 1 is expected"
    if life.features:
        words += f"; the largest: {', '.join(f'{name} ({own:.3g})' for name, own in life.features)}"
    return Cause("start", words, rms)
