"""δ explodes on its way down, so that one step throws the first layers about."""

from experiments.diagnosis.causes.cause import Cause
from experiments.diagnosis.life import Life
from experiments.diagnosis.outcome import Outcome
from experiments.diagnosis.rule import Signal

WEIGHT = 52
REMEDIES = ("initialization", "clipping", "batch_normalization", "learning_rate", "layer_normalization")


def find(life: Life, signal: Signal, outcome: Outcome) -> Cause | None:
    """Take over the signal at step 0, where the run did not learn or was not trained."""
    factor = life.number("delta_factor")
    if not factor > 1 or not (outcome.ill or outcome.name == "untrained") or signal.name != "exploding":
        return None
    norm = life.at("delta_norm", 0)
    words = f"δ is {norm[1]:.3g} in layer 1 and {norm[life.depth]:.3g} in layer {life.depth} at step 0, a factor of {factor:.3g} per layer"
    return Cause("start", words, factor, 0, (1, life.depth))
