"""A quantity left the finite numbers."""

from experiments.diagnosis.causes.cause import Cause
from experiments.diagnosis.life import Life, listing
from experiments.diagnosis.outcome import Outcome
from experiments.diagnosis.rule import Signal

WEIGHT = 72
REMEDIES = ("initialization", "learning_rate", "clipping", "batch_normalization", "standardize")


def find(life: Life, signal: Signal, outcome: Outcome) -> Cause | None:
    """Name the first quantity that was not finite, on the way up and then down: its layer and its step."""
    if outcome.name != "diverged":
        return None
    step, layer = life.number("diverged_at_step"), life.number("nonfinite_layer")
    quantity = life.run.get("nonfinite_quantity")
    where = f"{quantity} of {listing([int(layer)], life.depth)}" if layer == layer else str(quantity)
    before = "before any update" if step == 0 else f"at step {step:.0f}"
    words = f"{where} is the first that is not a finite number in {life.run.get('dtype')}, {before}"
    if quantity is None:
        words = f"the loss or a gradient is not a finite number in {life.run.get('dtype')}, {before}; which was the first was not recorded"
    return Cause("start" if step == 0 else "training", words, step, int(step), (int(layer),) if layer == layer else ())
