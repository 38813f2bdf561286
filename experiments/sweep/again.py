"""What is measured of the starts of runs once more, where their diagnosis asks for it; the runs themselves are over."""

import numpy as np

from bpcore.arrays import FloatArray
from bpcore.engine.batches import Batches, Examples
from bpcore.engine.curvature import PRODUCTS, sharpness_of_stack
from bpcore.engine.evaluation import evaluate_stack, evaluate_whole, of_runs
from bpcore.layers import Layers
from bpcore.mlp import initialize
from bpcore.streams import stream
from experiments.config.run import Run
from experiments.sweep.stacking import tile_size
from experiments.sweep.tiles import multiplications

MOST_EXAMPLES = 32
"""Of the sharpness, which is a bound on a learning rate: a batch, as the steps see it."""

SHARE = 0.05
"""Of a run's time that its sharpness may take."""

STEPS_A_GRADIENT = 1.75
"""What a gradient of the iteration costs, in steps of the training on as many examples: it keeps what they throw away, and vectors as long
as θ are combined. As measured, 1.7 to 1.8 from 30 to 100 units and 3 to 20 layers."""

BESIDES = 1.5e6
"""Multiplications that take as long as what it costs besides its gradients: a run's share of the calls, and its diagnosis once more."""

OVERHEAD, OVERHEAD_A_WEIGHT = 4e7, 5e3
"""Multiplications that take as long as what a run costs besides its steps: its rows, tables and diagnosis; to draw and keep a weight. A
pass up through all examples at its end comes to them."""


def initial_losses(runs: list[Run], start: Layers) -> FloatArray:
    """Return J of runs of one shape before any update, without the λ term, on all training examples.

    Args:
        runs: validated.
        start: their parameters before any update.
    """
    network, data, asked = runs[0].network, runs[0].data, np.ones(len(runs), dtype=bool)
    with np.errstate(all="ignore"):
        if network.normalization.needs_batch:  # normalized with their own statistics, as at the end
            x, y = (np.asarray(part, dtype=runs[0].dtype)[None] for part in (data.x, data.y))
            return evaluate_whole(network, start, x, y, asked)[0]
        return evaluate_stack(network, start, data.x, data.y, network.normalization.running(), asked)[0]


def initial_sharpnesses(runs: list[Run], start: Layers) -> FloatArray:
    """Return the largest eigenvalue of the Hessian of J before any update, on the first examples that each run sees.

    Args:
        runs: validated, of one shape.
        start: their parameters before any update.

    Returns:
        λ_max of each; NaN where it is not finite, and where measuring it would take more than SHARE of the run's time.
    """
    return _sharpnesses(runs, start) if worth(runs[0]) else np.full(len(runs), np.nan)


def initial_sharpness(run: Run) -> float:
    """Return the sharpness of a run's start, whatever it costs; see `initial_sharpnesses`.

    Args:
        run: validated.
    """
    return float(_sharpnesses([run], _start(run))[0])


def _start(run: Run) -> Layers:
    first = None
    if run.init.adapt is not None:
        first = Batches(Examples(run.data.x, run.data.y), run.batch_size, [run.seed], run.dtype).first_for([run.init])
    return initialize(run.network, [run.init], [run.seed], run.dtype, first)


def worth(run: Run) -> bool:
    """Return whether measuring a run's sharpness takes at most SHARE of its time, by what both have to compute.

    Args:
        run: validated.
    """
    wide = 1.0 if run.dtype == "float64" else 2.0  # the sharpness is computed in float64
    step = multiplications(run)
    gradients = (PRODUCTS + 1) * step * min(MOST_EXAMPLES, run.m) / run.m
    overhead = OVERHEAD + (OVERHEAD_A_WEIGHT + run.facts.n_examples) * run.weights
    return bool(wide * (STEPS_A_GRADIENT * gradients + BESIDES) <= SHARE * (run.steps * step + wide * overhead))


def _sharpnesses(runs: list[Run], start: Layers) -> FloatArray:
    data, m, found = runs[0].data, min(MOST_EXAMPLES, runs[0].m), np.full(len(runs), np.nan)
    together = tile_size(runs[0].sizes, m, "float64")
    for low in range(0, len(runs), together):
        some = slice(low, low + together)
        orders = [stream(run.seed, "batches", 0).permutation(run.facts.n_examples)[:m] for run in runs[some]]
        decay = np.array([run.weight_decay for run in runs[some]])
        found[some] = sharpness_of_stack(runs[0].network, of_runs(start, some), Examples(data.x, data.y), np.stack(orders), decay)
    return found


MEASURES = {"initial_loss": initial_losses, "initial_sharpness": initial_sharpnesses}
"""Column of the runs table -> what measures it, of runs of one shape."""
