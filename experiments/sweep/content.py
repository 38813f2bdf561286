"""What a stack of runs left: from what was recorded of it to tables, rows and snapshot files."""

import io
import json
import math
from typing import Any

import numpy as np
import pyarrow as pa

from bpcore.arrays import Array, FloatArray
from bpcore.engine.evaluation import of_runs
from bpcore.measure.columns import agree
from bpcore.measure.records import StackRecord
from experiments.config.identity import flatten, nested
from experiments.config.keys import Config
from experiments.config.run import Run
from experiments.diagnosis.baseline import baseline
from experiments.diagnosis.diagnose import diagnose, once_more, questions
from experiments.diagnosis.life import Life
from experiments.statistics.factors import delta_factor
from experiments.store.columns import PREDICTED, RUN_RESULTS
from experiments.store.parts import PART_SCHEMAS, Content
from experiments.sweep.again import MEASURES
from experiments.theory.prediction import Prediction


def content_of(runs: list[Run], record: StackRecord, theory: list[Prediction]) -> Content:
    """Make the tables of a stack at once, and each run's results.

    Args:
        runs: of the stack.
        record: what was measured, in the order of `runs`.
        theory: per run what is predicted of it.

    Returns:
        What the runs left, in the order of `runs`.
    """
    width = next(iter(record.layers.values())).shape[-1]
    rows = record.present.sum(axis=1)
    step = np.broadcast_to(record.steps, record.present.shape)[record.present]
    layers: dict[str, Array] = {name: values[record.present].reshape(-1) for name, values in record.layers.items()}
    layers |= {"step": np.repeat(step, width), "layer": np.tile(np.arange(width), step.size)}
    layers[PREDICTED.name] = _predicted(record, theory)[record.present].reshape(-1)
    steps = {"step": step} | {name: values[record.present] for name, values in record.step_columns.items()}
    histograms = _ordered(record.histograms)
    counts = np.bincount(record.histograms["run"], minlength=len(runs))
    return Content(
        _results(runs, record, theory),
        {name: _arrow(name, columns) for name, columns in (("layers", layers), ("steps", steps), ("histograms", histograms))},
        {"layers": (rows * width).tolist(), "steps": rows.tolist(), "histograms": counts.tolist()},
        {run.run_id: _snapshot_file(run.config, arrays) for run, arrays in zip(runs, record.snapshots, strict=True) if arrays is not None},
    )


def _predicted(record: StackRecord, theory: list[Prediction]) -> FloatArray:
    """Return the predicted norms, (R, S, L+1): at step 0, NaN elsewhere."""
    predicted = np.full(record.layers["delta_norm"].shape, math.nan)
    for i, prediction in enumerate(theory):
        predicted[i, 0] = prediction.delta_norm(float(record.layers["delta_norm"][i, 0, -1]))
    return predicted


def _ordered(histograms: dict[str, Array]) -> dict[str, Array]:
    """Sort bins as the table does: quantities by name; the bins of each stay in their order."""
    encoded = pa.array(histograms["quantity"], pa.string()).dictionary_encode()
    words = np.array(encoded.dictionary.to_pylist(), dtype=str)
    names, rank = np.sort(words), np.argsort(np.argsort(words))[encoded.indices.to_numpy()]
    order = np.lexsort((rank, histograms["layer"], histograms["step"], histograms["run"]))
    ordered = {name: values[order] for name, values in histograms.items() if name not in ("run", "quantity")}
    return ordered | {"quantity": pa.DictionaryArray.from_arrays(rank[order], pa.array(names.tolist(), pa.string())).cast(pa.string())}


def _arrow(name: str, columns: dict[str, Array]) -> pa.Table:
    """Make a table of a part, NaN always the same: its sign and payload depend on the stack.

    Raises:
        ColumnError: a column is declared and not there, or there and not declared.
    """
    schema = PART_SCHEMAS[name]
    agree(name, schema.names, columns, "the tile")
    arrays = []
    for field in schema:
        values = columns[field.name]
        if isinstance(values, np.ndarray) and pa.types.is_floating(field.type):
            values = canonical(values.astype(np.float64, copy=False))
        arrays.append(pa.array(values, field.type, from_pandas=False))
    return pa.table(arrays, schema=schema)


def canonical(values: Array) -> Array:
    """Return floats with every NaN in one form."""
    return np.where(np.isnan(values), np.array(math.nan, values.dtype), values) if values.dtype.kind == "f" else values


def _results(runs: list[Run], record: StackRecord, theory: list[Prediction]) -> list[dict[str, Any]]:
    """Return each run's results: the columns of the runs table that are not its config."""
    start, final = {name: values[:, 0] for name, values in record.layers.items()}, record.final
    results: list[dict[str, Any]] = []
    for i, run in enumerate(runs):
        factor = delta_factor(start["delta_norm"][i, 1 : run.L], run.span)
        ended, (quantity, layer) = record.diverged_at_step[i], record.nonfinite[i] or (None, None)
        own = {
            "status": "ok" if ended is None else "diverged",
            "diverged_at_step": None if ended is None else int(ended),
            "error": None,
            "final_loss": float(final.loss[i]),
            "final_accuracy": float(final.accuracy[i]),
            "test_accuracy": float(final.test_accuracy[i]),
            "test_loss": float(final.test_loss[i]),
            **dict.fromkeys(MEASURES, math.nan),
            **known_of(run),
            "nonfinite_quantity": quantity,
            "nonfinite_layer": layer,
            "delta_factor": factor.value,
            "delta_factor_lo": factor.low,
            "delta_factor_hi": factor.high,
            "delta_factor_theory": theory[i].delta_factor,
        }
        results.append(own)
    lives = [_life(run, record, i, own) for i, (run, own) in enumerate(zip(runs, results, strict=True))]
    found = [diagnose(life) for life in lives]
    asked = [questions(life, first) for life, first in zip(lives, found, strict=True)]
    for name, measure in MEASURES.items():
        places = [i for i, names in enumerate(asked) if name in names]
        for i, value in zip(places, measure([runs[i] for i in places], of_runs(record.start, places)) if places else (), strict=True):
            results[i][name] = value
            lives[i] = lives[i].measured_since({name: value})
    for i, (run, own) in enumerate(zip(runs, results, strict=True)):
        own |= once_more(lives[i], found[i], asked[i]).columns()
        agree("runs", RUN_RESULTS, own, "the tile")
        results[i] = {"run_id": run.run_id, **flatten(run.config), **own}
    return results


def known_of(run: Run) -> dict[str, Any]:
    """Return what a run is judged by and what its configuration alone says: the best constant output, the ranges of its data.

    Args:
        run: validated.

    Returns:
        Columns of the runs table.
    """
    known, facts = baseline(run), run.facts
    return {
        "baseline_loss": known.loss,
        "baseline_accuracy": known.accuracy,
        "input_low": facts.inputs.low,
        "input_high": facts.inputs.high,
        "input_rms": facts.inputs.rms,
        "target_low": facts.targets.low,
        "target_high": facts.targets.high,
        "target_rms": facts.targets.rms,
    }


def _life(run: Run, record: StackRecord, i: int, own: dict[str, Any]) -> Life:
    """Return the life of run i, from its first row to its last."""
    present, facts = record.present[i], run.facts
    row = {**flatten(run.config), **own, "data_loss": float(record.final.data_loss[i])}
    layers = {name: values[i][present] for name, values in record.layers.items()}
    steps = {name: values[i][present] for name, values in record.step_columns.items()}
    step = record.steps[present]
    return Life(
        row, step, layers, steps, run.network.hidden, run.output_activation, run.loss, facts.n_outputs, facts.n_examples, facts.loudest,
        run.largest_rate, run.span, frozenset(run.network.sources), run.network.bypassed,
    )  # fmt: skip


def failed(run: Run, error: str) -> Content:
    """Return what a run that failed left: the reason, and no measurements.

    Args:
        run: that failed.
        error: one line, then the traceback.
    """
    empty = {name: math.nan if column.kind == "number" else None for name, column in RUN_RESULTS.items()} | {
        "outcome": "failed",
        "verdict": "failed",
    }
    row = {"run_id": run.run_id, **flatten(run.config), **empty, "status": "failed", "error": error}
    tables = {name: schema.empty_table() for name, schema in PART_SCHEMAS.items()}
    return Content([row], tables, {name: [0] for name in tables})


def _snapshot_file(config: Config, snapshot: dict[str, Array]) -> bytes:
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {name: canonical(array) for name, array in snapshot.items()}
    np.savez(buffer, **arrays, config=np.array(json.dumps(nested(config), sort_keys=True)))
    return buffer.getvalue()
