"""All weights of a layer are zero.

δ^l = (W^(l+1))ᵀ δ^(l+1) ⊙ φ′ is zero below such a layer, and a zero output of the layer gives the one above no gradient.
"""

import numpy as np

from experiments.diagnosis.causes.cause import Cause
from experiments.diagnosis.life import Life, listing
from experiments.diagnosis.outcome import Outcome
from experiments.diagnosis.rule import Signal

WEIGHT = 90
REMEDIES = ("initialization",)


def find(life: Life, signal: Signal, outcome: Outcome) -> Cause | None:
    """Find layers whose ‖W‖ is 0 at step 0; one output layer alone is a known way to start, from which all learn, branches another."""
    zero = [int(layer) for layer in np.flatnonzero(life.at("weight_norm", 0) == 0) if layer not in life.joined]
    if not zero or life.depth == 0 or (zero == [life.depth + 1] and not outcome.ill):
        return None
    words = f"‖W‖ = 0 in {listing(zero, life.depth)} at step 0, so that no error goes down through it and none of its units differ"
    return Cause("start", words, 0.0, 0, tuple(zero))
