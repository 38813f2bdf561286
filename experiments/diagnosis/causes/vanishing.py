"""δ vanishes on its way down, so that the first layers are not told what to do."""

from experiments.diagnosis.causes.cause import Cause
from experiments.diagnosis.life import Life
from experiments.diagnosis.outcome import Outcome
from experiments.diagnosis.rule import Signal

WEIGHT = 50
REMEDIES = ("initialization", "activation", "batch_normalization", "residual", "layer_normalization")


def find(life: Life, signal: Signal, outcome: Outcome) -> Cause | None:
    """Take over the signal at step 0, where the run did not learn or was not trained."""
    if signal.name not in ("vanishing", "saturated") or not (outcome.ill or outcome.name == "untrained"):
        return None
    factor = life.number("delta_factor")
    if not factor < 1:
        return None
    norm = life.at("delta_norm", 0)
    words = f"δ is {norm[1]:.3g} in layer 1 and {norm[life.depth]:.3g} in layer {life.depth} at step 0, a factor of {factor:.3g} per layer"
    return Cause("start", words, factor, 0, (1, life.depth))
