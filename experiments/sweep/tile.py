"""The work of one worker: from validated runs to a stack that is trained and measured."""

import functools
import math
import time
from collections.abc import Callable
from typing import Any

from threadpoolctl import threadpool_limits

from bpcore.arrays import FloatArray
from bpcore.blas import cython_blas
from bpcore.engine.batches import Examples
from bpcore.training import RunSettings, StackSettings, train_stack
from experiments.config.run import Run
from experiments.store.parts import Content
from experiments.sweep.content import content_of
from experiments.theory.prediction import predict


@functools.lru_cache(maxsize=1)
def _one_blas_thread() -> Any:
    """Limit this process to one BLAS thread, which two threads' bits would differ from; SciPy's too, which must be there by then."""
    cython_blas()
    return threadpool_limits(1, user_api="blas")


def run_tile(runs: list[Run], on_step: Callable[[int, FloatArray], None] | None = None) -> Content:
    """Compute runs of one shape as a stack.

    Args:
        runs: validated, with equal `tiles.shape_key`.
        on_step: called with (step, losses) as the stack goes on, for progress.

    Returns:
        What they left, in the order of `runs`.
    """
    _one_blas_thread()
    started = time.monotonic()
    first = runs[0]
    dataset = first.data
    length, rules = (first.batch_size, first.steps), (first.optimizer, first.clip)
    settings = StackSettings(first.network, *rules, *length, first.dtype, first.recording, first.schedule)
    examples = Examples(dataset.x, dataset.y, dataset.test_x, dataset.test_y)
    record = train_stack(settings, [_run_settings(run) for run in runs], examples, on_step)
    if dataset.classes is None:  # an index of the largest output means nothing then
        for accuracies in (record.step_columns["accuracy"], record.final.accuracy, record.final.test_accuracy):
            accuracies[:] = math.nan
    content = content_of(runs, record, [predict(run) for run in runs])
    content.seconds = time.monotonic() - started
    return content


def _run_settings(run: Run) -> RunSettings:
    return RunSettings(run.seed, run.init, run.lr, run.bias_lr_factor, run.weight_decay, run.clip.threshold)
