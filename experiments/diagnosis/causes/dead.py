"""Units are dead: z ≤ 0 on every example, where φ and φ′ are 0, so that they never change again.

A layer that is dead as a whole ends the error: δ is 0 below it, and what lies above sees a constant.
"""

from experiments.diagnosis.causes.cause import Cause
from experiments.diagnosis.life import Life, listing
from experiments.diagnosis.outcome import Outcome
from experiments.diagnosis.rule import Signal

WEIGHT = 65
REMEDIES = ("learning_rate", "leaky_activation", "initialization", "batch_normalization")

NEARLY = 0.9
"""Share of a layer's units from which on it is called dead in an ill run: what is left is a tenth of the net."""


def find(life: Life, signal: Signal, outcome: Outcome) -> Cause | None:
    """Find layers that are dead in the last row that tells: whole ones always, nearly whole ones where the run is ill."""
    able = [layer for layer in range(1, life.depth + 2) if life.can_die(layer) and layer not in life.bypassed]
    rows = life.measured("dead")
    if not able or not rows:
        return None
    last, share = rows[-1], life.at("dead", rows[-1])
    whole = [layer for layer in able if share[layer] == 1 and life.heard(layer, last)]
    layers = [layer for layer in able if share[layer] >= NEARLY and life.heard(layer, last)] if outcome.ill else whole
    if not layers:
        return None
    since = min(row for row in rows if (life.at("dead", row)[layers] >= NEARLY).any())
    step, at = int(life.step[since]), int(life.step[last])
    when = f"at step {at}" if since == last else f"at step {at} (first of them at step {step})"
    if whole:
        words = f"every unit of {listing(whole, life.depth)} is 0 on every example {when}, so that no error goes down through it"
        value = 1.0
    else:
        worst = max(layers, key=lambda layer: share[layer])
        words, value = f"{share[worst]:.0%} of the units of layer {worst} are 0 on every example {when}", float(share[worst])
    return Cause("training" if step else "start", words, value, step, tuple(layers))
