"""Units are dead: z ≤ 0 on every example, where φ and φ′ are 0, so that they never change again.

A layer that is dead as a whole ends the error: δ is 0 below it, and what lies above sees a constant.
"""

from experiments.diagnosis.causes.cause import Cause
from experiments.diagnosis.life import Life, listing
from experiments.diagnosis.outcome import Outcome

WEIGHT = 65
REMEDIES = ("learning_rate", "leaky_activation", "initialization", "batch_normalization")

NEARLY = 0.9
"""Share of a layer's units from which on it is called dead in an ill run: what is left is a tenth of the net."""


def find(life: Life, outcome: Outcome) -> Cause | None:
    """Find layers with dead units at the first step that has any: whole ones always, nearly whole ones where the run is ill."""
    can_die = [layer for layer in range(1, life.depth + 2) if life.can_die(layer)]
    for row in life.measured("dead"):
        share = life.at("dead", row)
        whole = [layer for layer in can_die if share[layer] == 1 and life.heard(layer, row)]
        layers = [layer for layer in can_die if outcome.ill and share[layer] >= NEARLY and life.heard(layer, row)] or whole
        if not layers or not (whole or outcome.ill):
            continue
        step = int(life.step[row])
        if whole:
            words = (
                f"every unit of {listing(whole, life.depth)} is 0 on every example at step {step}, so that no error goes down through it"
            )
            value = 1.0
        else:
            worst = max(layers, key=lambda layer: share[layer])
            words, value = f"{share[worst]:.0%} of the units of layer {worst} are 0 on every example at step {step}", float(share[worst])
        return Cause("training" if step else "start", words, value, step, tuple(layers))
    return None
