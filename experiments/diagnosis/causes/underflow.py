"""Products fell below the smallest number, and δ is exactly 0 though nothing is switched off."""

import numpy as np

from experiments.diagnosis.causes.cause import Cause
from experiments.diagnosis.life import Life, listing
from experiments.diagnosis.outcome import Outcome
from experiments.diagnosis.rule import Signal

WEIGHT = 70
REMEDIES = ("initialization", "activation", "batch_normalization", "residual", "layer_normalization")


def find(life: Life, signal: Signal, outcome: Outcome) -> Cause | None:
    """Take over the signal at step 0."""
    if signal.name != "underflowed":
        return None
    gone = [int(layer) for layer in np.flatnonzero(life.at("delta_norm", 0) == 0) if layer > 0]
    words = f"δ is exactly 0 in {listing(gone, life.depth)} at step 0: in {life.run.get('dtype')} its products have no smaller numbers"
    return Cause("start", words, 0.0, 0, tuple(gone))
