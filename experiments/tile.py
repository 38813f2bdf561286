"""The work of one worker: from validated configs to the tables of their runs."""

import functools
import io
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from bpcore.arrays import FloatArray
from bpcore.mlp import Network
from bpcore.recording import Recording, RunRecord
from bpcore.training import Examples, RunSettings, StackSettings, train
from experiments.config import Config, Job, build_cached, flatten, nested, output_activation
from experiments.datasets import Dataset
from experiments.prediction import Prediction, predict
from experiments.statistics import delta_factor
from experiments.store import HISTOGRAMS, KEYS, LAYERS, RUN_RESULTS, STEPS, Tables
from experiments.verdicts import judge


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


def run_one(job: Job, on_step: Callable[[int, FloatArray], None] | None = None) -> tuple[Tables, bytes | None]:
    """Run one job.

    Args:
        job: validated.
        on_step: called with (step, loss) as the run goes on, for progress.

    Returns:
        Its tables, and the bytes of its snapshot file where one was asked for.
    """
    _one_blas_thread()
    config = job.config
    dataset = build_cached(config["data"])
    network = network_of(config, dataset)
    clip = build_cached(config["clip"])
    settings = StackSettings(
        network, build_cached(config["optimizer"]), clip, config["batch_size"], config["steps"], config["dtype"], _recording(config)
    )
    run = RunSettings(
        config["seed"], build_cached(config["init"]), config["lr"], config["bias_lr_factor"], config["weight_decay"], clip.threshold
    )
    examples = Examples(dataset.x, dataset.y, dataset.test_x, dataset.test_y)
    record = train(settings, [run], examples, on_step)[0]
    if dataset.classes is None:  # an index of the largest output means nothing then
        record.steps["accuracy"][:] = record.final_accuracy = record.test_accuracy = math.nan
    prediction = predict(config, network, dataset)
    return _tables(job, record, prediction), _snapshot_file(config, record)


def _tables(job: Job, record: RunRecord, prediction: Prediction) -> Tables:
    depth = job.config["depth"]
    keys = {"run_id": job.run_id, "job": job.index}
    layers = pd.DataFrame({**keys, **record.layers})
    at_start = layers["step"] == 0
    step0 = layers[at_start]
    norms = step0["delta_norm"].to_numpy()
    layers["delta_norm_theory"] = math.nan
    layers.loc[at_start, "delta_norm_theory"] = prediction.delta_norm(norms[-1])
    factor = delta_factor(norms[1 : depth + 1])
    verdict = judge(step0.set_index("layer", drop=False), factor, record.diverged_at_step)
    run = {
        **keys,
        **flatten(job.config),
        "status": "ok" if record.diverged_at_step is None else "diverged",
        "diverged_at_step": record.diverged_at_step,
        "error": None,
        "final_loss": record.final_loss,
        "final_accuracy": record.final_accuracy,
        "test_accuracy": record.test_accuracy,
        "delta_factor": factor.value,
        "delta_factor_lo": factor.low,
        "delta_factor_hi": factor.high,
        "delta_factor_theory": prediction.delta_factor,
        "verdict": verdict.name,
    }
    steps = pd.DataFrame({**keys, **record.steps})
    histograms = pd.DataFrame({**keys, **record.histograms})
    return Tables(pd.DataFrame([run]), layers[[*KEYS, *LAYERS]], steps[[*KEYS, *STEPS]], histograms[[*KEYS, *HISTOGRAMS]])


def failed(job: Job, error: str) -> Tables:
    """Return the tables of a run that failed: its row, with the reason, and no measurements.

    Args:
        job: that failed.
        error: one line, then the traceback.
    """
    empty = dict.fromkeys(RUN_RESULTS, math.nan) | {"diverged_at_step": None, "verdict": None}
    run = {"run_id": job.run_id, "job": job.index, **flatten(job.config), **empty, "status": "failed", "error": error}
    frames = [pd.DataFrame(columns=[*KEYS, *columns]) for columns in (LAYERS, STEPS, HISTOGRAMS)]
    return Tables(pd.DataFrame([run]), *frames)


def _snapshot_file(config: Config, record: RunRecord) -> bytes | None:
    if record.snapshot is None:
        return None
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {**record.snapshot, "config": np.array(json.dumps(nested(config), sort_keys=True))}
    np.savez(buffer, **arrays)
    return buffer.getvalue()
