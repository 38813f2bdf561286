"""The loss does not fit the output activation: where the output is flat, a wrong answer is not told so.

δ^L = (a^L − y) ⊙ φ′(z^L) of a squared error has the slope of the output in it, and that of an output saturated on the wrong side is next
to nothing, however wrong it is. In a cross-entropy on logits the slope cancels: δ^L = σ(z^L) − y. (A softmax of one output, which is 1
whatever the net puts out, is refused before it runs.)

Source: Nielsen 2015, ch. 3, on the cross-entropy; finding F-SLOWQUAD measures it.
"""

from experiments.diagnosis.causes.cause import Cause
from experiments.diagnosis.life import Life
from experiments.diagnosis.outcome import Outcome
from experiments.diagnosis.rule import Signal

WEIGHT = 62
REMEDIES = ("loss", "initialization", "standardize")

MOST = 0.5
"""Share of the output's entries that are saturated from which on most answers are not heard."""


def find(life: Life, signal: Signal, outcome: Outcome) -> Cause | None:
    """Find an output that is flat at both ends and saturated at the end of an ill run, under targets that are probabilities."""
    top = life.depth + 1
    rows = life.measured("saturated")
    if life.loss.takes_logits or not life.saturates(top) or not outcome.ill or not rows:
        return None
    if not (life.number("target_low") >= 0 and life.number("target_high") <= 1):
        return None  # no cross-entropy fits those
    held = [row for row in rows if life.at("saturated", row)[top] > MOST]
    if not held or held[-1] != rows[-1]:
        return None
    step, share = int(life.step[held[0]]), float(life.at("saturated", rows[-1])[top])
    where = f"{share:.0%} of the {life.output_activation.name} output is saturated at step {int(life.step[rows[-1]])}"
    words = f"{where}, where loss={life.loss.name} passes next to nothing of its error on; in a cross-entropy on logits the slope cancels"
    return Cause("training" if step else "start", words, share, step, (top,))
