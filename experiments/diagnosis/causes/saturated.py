"""Units of a layer are saturated: φ is flat where they stand.

|φ′| below 5 % of its maximum passes a twentieth of the error on, and a layer of such units next to nothing. A rectifier's zeros are
no saturation: its other half has full slope.
"""

from experiments.diagnosis.causes.cause import Cause
from experiments.diagnosis.life import Life, listing
from experiments.diagnosis.outcome import Outcome
from experiments.diagnosis.rule import Signal

WEIGHT = 60
REMEDIES = ("standardize", "initialization", "batch_normalization", "activation")

MOST = 0.5
"""Share of a layer's entries from which on it is called saturated: most of its units hardly learn."""


def find(life: Life, signal: Signal, outcome: Outcome) -> Cause | None:
    """Find saturated layers at the first step that has any, where the run is ill or its signal is saturated."""
    if not outcome.ill and signal.name != "saturated":
        return None
    flat = [layer for layer in range(1, life.depth + 2) if life.saturates(layer)]
    for row in life.measured("saturated"):
        share = life.at("saturated", row)
        layers = [layer for layer in flat if share[layer] > MOST]
        if layers:
            worst = max(layers, key=lambda layer: share[layer])
            step = int(life.step[row])
            words = f"{share[worst]:.0%} of {listing([worst], life.depth)} is saturated at step {step}"
            if len(layers) > 1:
                words += f", more than half in {listing(layers, life.depth)}"
            return Cause("training" if step else "start", words, float(share[worst]), step, tuple(layers))
    return None
