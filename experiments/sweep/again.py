"""What is measured of a run's start once more, alone, where its diagnosis asks for it; the run itself is over."""

import numpy as np

from bpcore.arrays import Array
from bpcore.engine.batches import Batches, Examples
from bpcore.engine.evaluation import evaluate_stack, evaluate_whole
from bpcore.layers import Layers
from bpcore.measure.sharpness import sharpness
from bpcore.mlp import initialize
from bpcore.streams import stream
from experiments.config.run import Run

MOST_EXAMPLES = 64
"""Of the sharpness: its largest eigenvalue is told to some per cent, which is what a bound on a learning rate needs."""

MOST_WEIGHTS = 100_000
"""Lanczos keeps twenty vectors of their number, and takes as long as hundreds of steps."""

TOLERANCE = 1e-3


def initial_loss(run: Run) -> float:
    """Return J of a run before any update, without the λ term, on all training examples.

    Args:
        run: validated.
    """
    network, data, asked = run.network, run.data, np.ones(1, dtype=bool)
    with np.errstate(all="ignore"):
        if network.normalization.needs_batch:  # normalized with their own statistics, as at the end
            x, y = (np.asarray(part, dtype=run.dtype)[None] for part in (data.x, data.y))
            loss, _ = evaluate_whole(network, _start(run), x, y, asked)
        else:
            loss, _ = evaluate_stack(network, _start(run), data.x, data.y, network.normalization.running(), asked)
    return float(loss[0])


def initial_sharpness(run: Run) -> float:
    """Return the largest eigenvalue of the Hessian of J before any update, on the first examples that the run sees.

    Args:
        run: validated.

    Returns:
        λ_max, NaN where it is not finite or the net is too large for it.
    """
    if run.weights > MOST_WEIGHTS:
        return float("nan")
    chosen = stream(run.seed, "batches", 0).permutation(run.facts.n_examples)[:MOST_EXAMPLES]
    x, y = (np.ascontiguousarray(part[:, chosen])[None] for part in (run.data.x, run.data.y))
    decay: Array = np.full((1, 1, 1), run.weight_decay)
    with np.errstate(all="ignore"):
        return sharpness(run.network, _start(run), x, y, decay, TOLERANCE)


def _start(run: Run) -> Layers:
    first = None
    if run.init.adapt is not None:
        first = Batches(Examples(run.data.x, run.data.y), run.batch_size, [run.seed], run.dtype).first_for([run.init])
    return initialize(run.network, [run.init], [run.seed], run.dtype, first)


MEASURES = {"initial_loss": initial_loss, "initial_sharpness": initial_sharpness}
"""Column of the runs table -> what measures it."""
