"""The best constant output: what a net that knows nothing of its input comes to at best."""

import math
from dataclasses import dataclass

import numpy as np

from bpcore.activations import identity
from bpcore.losses import Loss
from experiments.config.run import Run


@dataclass(frozen=True)
class Baseline:
    """Hold what the best constant output comes to on the training examples.

    Args:
        loss: its mean loss, the target mean's for a regression, the class frequencies' entropy for a cross-entropy; NaN where the loss
            declares none.
        accuracy: the share of the commonest class; NaN for a regression.
    """

    loss: float
    accuracy: float


def baseline(run: Run) -> Baseline:
    """Return the baseline of a run, which its data and its loss decide.

    Args:
        run: validated.
    """
    key = (run.facts.checksum, run.loss)  # the loss itself: a name may stand for another one elsewhere
    if key not in _KNOWN:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN[key] = _baseline(run)
    return _KNOWN[key]


_KNOWN: dict[tuple[str, Loss], Baseline] = {}
_MOST_KNOWN = 1024
_IDENTITY = identity()


def _baseline(run: Run) -> Baseline:
    y, loss = run.data.y, run.loss
    accuracy = math.nan
    if run.data.classes is not None:
        shares = y.mean(axis=1)
        accuracy = float(max(shares[0], 1 - shares[0]) if len(shares) == 1 else shares.max())
    if loss.constant is None:
        return Baseline(math.nan, accuracy)
    with np.errstate(all="ignore"):
        constant = np.broadcast_to(loss.constant(y), y.shape)
        return Baseline(float(loss.value(constant, y, _IDENTITY).mean()), accuracy)
