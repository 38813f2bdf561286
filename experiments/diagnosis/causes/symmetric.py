"""All units of a layer are equal, and stay so.

Equal rows of W and b get equal gradients: a layer of n units is one unit, repeated. ∂J/∂W has rank 1 at every step.
"""

from experiments.diagnosis.causes.cause import Cause
from experiments.diagnosis.life import Life, listing
from experiments.diagnosis.outcome import Outcome
from experiments.diagnosis.rule import Signal

WEIGHT = 88
REMEDIES = ("initialization",)


def find(life: Life, signal: Signal, outcome: Outcome) -> Cause | None:
    """Find hidden layers of several units whose rows of W and b are equal to the bit at step 0, and not zero."""
    equal, norm = life.at("equal_units", 0), life.at("weight_norm", 0)
    layers = [layer for layer in life.hidden if equal[layer] == 1 and norm[layer] > 0]
    if not layers or (outcome.name == "learns" and len(layers) < life.depth):
        return None
    stays = ""
    if life.trained and life.measured("equal_units"):
        last = life.at("equal_units", life.measured("equal_units")[-1])
        stays = ", and still are at the end" if all(last[layer] == 1 for layer in layers) else ""
    words = f"all units of {listing(layers, life.depth)} are equal at step 0{stays}: each layer is one unit, repeated"
    return Cause("start", words, 1.0, 0, tuple(layers))
