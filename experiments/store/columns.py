"""The columns of the tables, in order: what the core measures, and what the harness adds.

The core's are declared where they are measured, in `bpcore.measure.columns`; here are the keys, the predictions and the results of a
run. Whoever makes a table is held to this list: a column that one side lacks is an error.
"""

from bpcore.measure import columns as measured
from bpcore.measure.columns import Column


def _named(*columns: Column) -> dict[str, Column]:
    return {column.name: column for column in columns}


KEYS = _named(Column("run_id", "identity of the run", "word"), Column("job", "place in the sweep, from 0", "whole"))

RUN_RESULTS = _named(
    Column("status", "ok, diverged or failed", "word"),
    Column("diverged_at_step", "first step whose loss or gradients are not finite; empty where none", "whole"),
    Column("error", "what failed, with its traceback; empty where nothing did", "word"),
    Column("final_loss", "J over all training examples after the last update; that of the last row where the run diverged"),
    Column("final_accuracy", "on all training examples, in [0, 1]; empty for regressions", compared="counted"),
    Column(
        "test_accuracy", "on the test examples, in evaluation mode, in [0, 1]; empty where there are none", compared="counted"
    ),
    Column("test_loss", "J on the test examples without the λ term, in evaluation mode; empty where there are none", since=4),
    Column("outcome", "what became of the run: learns, stuck, diverging, diverged, failed or untrained", "word", since=4),
    Column("skill", "1 − J/baseline_loss, J without the λ term on all training examples at the end", since=4),
    Column("baseline_loss", "J of the best constant output on the training examples", since=4),
    Column("baseline_accuracy", "accuracy of the best constant output: the share of the commonest class; empty for regressions", since=4),
    Column(
        "initial_loss",
        "J at step 0 without the λ term on all training examples, where it was measured to tell whether the net learned",
        since=4,
    ),
    Column(
        "initial_sharpness",
        "largest eigenvalue of the Hessian of J at step 0 on 32 training examples at most, where the learning rate is in question; empty "
        "where the run is too short to pay for it",
        since=4,
    ),
    Column("nonfinite_quantity", "the first that was not finite, in the order of a step: W, b, z, a, δ, ∂J/∂W, ∂J/∂b", "word", since=4),
    Column("nonfinite_layer", "its layer; empty where none, and where the sum over the layers was the first", "whole", since=4),
    Column("input_low", "smallest input of the training examples", since=4),
    Column("input_high", "largest input of the training examples", since=4),
    Column("input_rms", "root mean square of the inputs of the training examples", since=4),
    Column("target_low", "smallest target of the training examples", since=4),
    Column("target_high", "largest target of the training examples", since=4),
    Column("target_rms", "root mean square of the targets of the training examples", since=4),
    Column("delta_factor", "geometric mean over hidden layers of delta_norm^l / delta_norm^(l+1) at step 0"),
    Column("delta_factor_lo", "lower end of its 95 % interval, from the increments of ln delta_norm"),
    Column("delta_factor_hi", "upper end of its 95 % interval"),
    Column("delta_factor_theory", "the prediction of delta_factor for infinite width; empty where there is no theory"),
    Column(
        "signal",
        "δ at initialization: vanishing, stable, exploding, saturated, zero_weights, dead, underflowed, diverged, or none with fewer than "
        "two hidden layers",
        "word",
        since=4,
    ),
    Column("signal_reason", "why it is called so, with numbers of step 0", "word", since=4),
    Column(
        "causes",
        "what explains the run, the weightiest first: a JSON list of {cause, when, step, layers, evidence, value}",
        "word",
        since=4,
    ),
    Column("verdict", "the outcome where the net did not learn (stuck, diverging, diverged), else the signal", "word", since=4),
    Column("verdict_reason", "why, in one sentence", "word", since=4),
)  # fmt: skip
"""The columns of the runs table that are neither its keys nor the configuration."""

PREDICTED = Column(
    "delta_norm_theory", "predicted delta_norm at step 0, from architecture, weights' variance, loss and data; empty elsewhere"
)

LAYERS = _named(measured.STEP, measured.LAYER, *measured.STATE, PREDICTED, *measured.PROBES)
STEPS = _named(measured.STEP, *measured.STEPS)
HISTOGRAMS = _named(*measured.HISTOGRAMS)

TABLES = {"layers": KEYS | LAYERS, "steps": KEYS | STEPS, "histograms": KEYS | HISTOGRAMS}
"""The three long tables."""

SORT = {
    "runs": ["job"],
    "layers": ["job", "step", "layer"],
    "steps": ["job", "step"],
    "histograms": ["job", "step", "layer", "quantity", "bin_low"],
}
