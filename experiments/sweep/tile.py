"""The work of one worker: from validated configs to a stack that is trained and measured."""

import functools
import math
import time
from collections.abc import Callable
from typing import Any

from threadpoolctl import threadpool_limits

from bpcore.arrays import FloatArray
from bpcore.engine.batches import Examples
from bpcore.measure.recording import Recording
from bpcore.mlp import Network
from bpcore.training import RunSettings, StackSettings, train_stack
from experiments.config.keys import Config, Job, build_cached, output_activation
from experiments.datasets.factories import Dataset
from experiments.store.parts import Content
from experiments.sweep.content import content_of
from experiments.theory.prediction import predict


def network_of(config: Config, dataset: Dataset) -> Network:
    """Return the architecture that a config describes: n_0 and n_L come from the data."""
    hidden = [config["width"]] * config["depth"]
    return Network(
        (dataset.x.shape[0], *hidden, dataset.y.shape[0]),
        build_cached(config["activation"]),
        build_cached(output_activation(config["output_activation"])),
        build_cached(config["loss"]),
        build_cached(config["normalization"]),
    )


def _recording(config: Config) -> Recording:
    record = config["record"]
    probes = frozenset(name for name in ("extended", "gradient_cosine", "a_rank") if record[name])
    return Recording(record["every"], record["name"] == "full", record["snapshot"], record["sharpness"], probes, record["modes"])


@functools.lru_cache(maxsize=1)
def _one_blas_thread() -> Any:
    """Limit this process to one BLAS thread, which two threads' bits would differ from."""
    return threadpool_limits(1, user_api="blas")


def run_tile(jobs: list[Job], on_step: Callable[[int, FloatArray], None] | None = None) -> Content:
    """Run jobs of one shape as a stack.

    Args:
        jobs: validated, with equal `tiles.shape_key`.
        on_step: called with (step, losses) as the stack goes on, for progress.

    Returns:
        What they left, in the order of `jobs`.
    """
    _one_blas_thread()
    started = time.monotonic()
    config = jobs[0].config
    dataset = build_cached(config["data"])
    network = network_of(config, dataset)
    settings = StackSettings(
        network,
        build_cached(config["optimizer"]),
        build_cached(config["clip"]),
        config["batch_size"],
        config["steps"],
        config["dtype"],
        _recording(config),
    )
    examples = Examples(dataset.x, dataset.y, dataset.test_x, dataset.test_y)
    record = train_stack(settings, [_run_settings(job.config) for job in jobs], examples, on_step)
    if dataset.classes is None:  # an index of the largest output means nothing then
        for accuracies in (record.step_columns["accuracy"], record.final_accuracy, record.test_accuracy):
            accuracies[:] = math.nan
    content = content_of(jobs, record, [predict(job.config, network, dataset) for job in jobs])
    content.seconds = time.monotonic() - started
    return content


def _run_settings(config: Config) -> RunSettings:
    return RunSettings(
        config["seed"],
        build_cached(config["init"]),
        config["lr"],
        config["bias_lr_factor"],
        config["weight_decay"],
        build_cached(config["clip"]).threshold,
    )
