"""Diagnoses of results that were written before there were any: from their tables, and what their configuration says of their data."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from bpcore.arrays import FloatArray
from bpcore.measure.columns import FIRST
from experiments.config.files import choice
from experiments.config.run import Run
from experiments.diagnosis.diagnose import diagnose
from experiments.diagnosis.life import Life
from experiments.diagnosis.outcome import without_decay
from experiments.errors import UserError
from experiments.store.columns import LAYERS, STEPS
from experiments.store.tables import Results
from experiments.sweep.content import known_of
from experiments.sweep.restore import recorded_runs
from experiments.text.numbers import count, missing

NOT_DIAGNOSED = "signal"
"""A column that every run has that was diagnosed."""

_PLACES = {"name": None, "results_dir": "results"}


def diagnosed(results: Results) -> tuple[Results, list[str]]:
    """Diagnose the runs that have no diagnosis, as far as their tables tell.

    Args:
        results: of any edition.

    Returns:
        The results with it, and what is to be said of it: what was not recorded, or why it cannot be; nothing where all had one.
    """
    lacking = (results.runs[NOT_DIAGNOSED].isna() & (results.runs["status"] != "failed")).to_numpy()
    if not lacking.any():
        return results, []
    try:
        restored = {run.index: run for run in recorded_runs(results.path, {**_PLACES, "executor": choice("executor", "serial")})}
    except UserError as error:
        return results, [f"{count(int(lacking.sum()), 'run')} of the first edition cannot be diagnosed: {error}"]
    rows: list[dict[Any, Any]] = results.runs.to_dict("records")
    layers, steps = (dict(list(frame.groupby("run_id", sort=False))) for frame in (results.layers, results.steps))
    for place in np.flatnonzero(lacking):
        row = rows[place]
        row |= _columns(restored[int(row["job"])], row, layers[row["run_id"]], steps[row["run_id"]])
    frame = results.runs.copy()
    for name in rows[int(np.flatnonzero(lacking)[0])]:
        values = [row.get(name) for row in rows]
        if name in frame and any(not missing(value) for value in values):
            frame[name] = pd.Series(values, index=frame.index, dtype=frame[name].dtype)
    since = [column.name for column in LAYERS.values() if column.since > FIRST]
    gone = [name for name in since if not results.layers[name].notna().any()]
    fewer = [name for name in since if name not in gone]
    said = f"{count(int(lacking.sum()), 'run')} of the first edition, diagnosed from the tables that are there"
    said += f"; not recorded: {', '.join(gone)}, and what was not finite first" if gone else ""
    said += f"; recorded in the first and last row alone: {', '.join(fewer)}" if fewer else ""
    return replace(results, runs=frame), [said]


def _columns(run: Run, row: dict[Any, Any], layers: pd.DataFrame, steps: pd.DataFrame) -> dict[str, Any]:
    """Return the columns of the runs table that a diagnosis adds."""
    step = np.sort(steps["step"].to_numpy(dtype=np.int64))
    ordered, by_step = layers.sort_values(["step", "layer"]), steps.sort_values("step")
    shape = (len(step), run.L + 1)
    arrays = {name: _floats(ordered[name]).reshape(shape) for name in LAYERS if name not in ("step", "layer")}
    courses = {name: _floats(by_step[name]) for name in STEPS if name != "step"}
    known = known_of(run)
    ended = not missing(row["diverged_at_step"])
    left = math.nan if ended else without_decay(float(row["final_loss"]), run.weight_decay, arrays["weight_norm"][-1])
    clean = {str(name): None if missing(value) else value for name, value in row.items()}
    life = Life(
        {**clean, **known, "data_loss": left}, step, arrays, courses, run.network.hidden, run.output_activation, run.loss,
        run.facts.n_outputs, run.facts.n_examples, run.facts.loudest, run.largest_rate, run.span,
        frozenset(run.network.sources), run.network.bypassed,
    )  # fmt: skip
    return known | diagnose(life).columns()


def _floats(column: "pd.Series[Any]") -> FloatArray:
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
