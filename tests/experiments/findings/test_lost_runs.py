"""What is left when runs fail or diverge may not pass for the whole: every published finding, without an arm, without everything."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.atlas import judging
from experiments.atlas.catalogue import ids, select
from experiments.store.columns import KEYS, RUN_RESULTS
from experiments.store.tables import Results
from tests.experiments.findings.cases import CASES, tables

SETTLED = {"reproduced", "caveat", "refuted"}

PART_OF_THE_CLAIM = {
    "f_agc": "nets without clipping diverge, as claimed",
    "f_bntrain": "a deep net without normalization that diverges has not trained, as claimed",
    "f_catapult": "nets above 4/λ diverge, as claimed",
    "f_clip": "plain descent above its limit diverges, as claimed",
    "f_depthscale": "nets below the bound do not train, as claimed; nine in ten cells are enough",
    "f_eos_sched": "nets whose rate is doubled at the edge diverge, as claimed",
    "f_he": "Xavier's deep net that diverges has not trained, as claimed",
    "f_saxe": "deep Gaussian nets that diverge never learn, as claimed",
    "f_zeroinit": "nets of a hundred blocks without skips or with plain ones that diverge have not trained, as claimed",
    "f_warmup": "nets above the largest rate that trains may diverge, as claimed",
    "n_warmup_adam": "nets above the largest rate that trains may diverge; such a rate is looked for",
    "s_bn": "sigmoid nets without normalization do not train, as claimed",
    "s_clip": "nets without clipping diverge, as claimed",
    "s_lr": "nets above 2/λ are lost, as claimed",
    "s_small_lr": "one of the two activations in which δ vanishes is enough",
}
"""Findings with arms that may diverge; without any net that stays finite they do not hold either."""


def arms(sweeps: dict[str, Results], most: int = 2) -> Iterator[tuple[str, list[str]]]:
    """Iterate over the first and the last setting of every sweep: sweep, run ids."""
    for name, sweep in sweeps.items():
        runs = sweep.runs
        axes = [axis for axis in runs.columns if axis not in {*KEYS, *RUN_RESULTS, "seed"} and runs[axis].nunique(dropna=False) > 1]
        settings = [rows["run_id"].tolist() for _, rows in runs.groupby(axes, dropna=False)] if axes else [runs["run_id"].tolist()]
        chosen = sorted({round(i * (len(settings) - 1) / (most - 1)) for i in range(most)})
        yield from ((name, settings[i]) for i in chosen)


def failed(sweep: Results, run_ids: list[str]) -> Results:
    """Return the tables of a sweep of which some runs failed: they have no rows but their own."""
    gone = sweep.runs["run_id"].isin(run_ids)
    parts = {name: frame[~frame["run_id"].isin(run_ids)] for name in ("layers", "steps") if "run_id" in (frame := getattr(sweep, name))}
    return replace(sweep, runs=sweep.runs.assign(status=sweep.runs["status"].mask(gone, "failed")), **parts)


def diverged(sweep: Results, run_ids: list[str]) -> Results:
    """Return the tables of a sweep of which some runs diverged: nothing that they measured is a number."""

    def lost(frame: pd.DataFrame, kept: set[str]) -> pd.DataFrame:
        if "run_id" not in frame:
            return frame
        numbers = [name for name in frame.columns if name not in kept and pd.api.types.is_numeric_dtype(frame[name])]
        rows = frame["run_id"].isin(run_ids).to_numpy()
        values = frame[numbers].to_numpy("float64", na_value=np.nan, copy=True)
        values[rows] = np.nan
        columns = dict(zip(numbers, values.T, strict=True))
        return pd.DataFrame({name: columns.get(name, frame[name]) for name in frame.columns}, index=frame.index)

    runs = sweep.runs.assign(status=sweep.runs["status"].mask(sweep.runs["run_id"].isin(run_ids), "diverged"))
    settings = {name for name in runs.columns if name not in RUN_RESULTS}
    keys = {*KEYS, "step", "layer"}
    return replace(sweep, runs=lost(runs, settings), layers=lost(sweep.layers, keys), steps=lost(sweep.steps, keys))


def verdict(name: str, sweeps: dict[str, Results]) -> str:
    (entry,) = select([name])
    return judging.judge(entry, sweeps, "command").estimate.verdict


def estimated(name: str, sweeps: dict[str, Results]) -> str:
    """Return the verdict of the finding's code alone; what it cannot estimate has none."""
    (entry,) = select([name])
    left = {key: replace(sweep, runs=sweep.runs[sweep.runs["status"] != "failed"]) for key, sweep in sweeps.items()}
    try:
        return entry.estimate(left, entry.finding).verdict
    except (KeyError, IndexError, ValueError, TypeError, RuntimeWarning):
        return "none"


@pytest.mark.parametrize("name", ids())
def test_what_is_left_of_a_finding_never_settles_it(name: str, tmp_path: Path) -> None:
    whole = tables(CASES[name].holds, tmp_path)
    assert verdict(name, whole) in SETTLED, "the table must hold, or this test cannot fail"

    sweep, run_ids = next(arms(whole))
    assert verdict(name, whole | {sweep: failed(whole[sweep], run_ids)}) not in SETTLED, f"{sweep}, {len(run_ids)} runs failed"
    for sweep, tables_of in whole.items():  # in the finding's own code, without the judge's guard: no condition passes for want of rows
        gone = failed(tables_of, tables_of.runs["run_id"].tolist())
        assert estimated(name, whole | {sweep: gone}) not in SETTLED, f"{sweep} failed"
    assert verdict(name, {key: failed(sweep, sweep.runs["run_id"].tolist()) for key, sweep in whole.items()}) == "not_testable"

    if name not in PART_OF_THE_CLAIM:
        for sweep, run_ids in arms(whole):
            assert verdict(name, whole | {sweep: diverged(whole[sweep], run_ids)}) not in SETTLED, f"{sweep}, {len(run_ids)} runs diverged"
    assert verdict(name, {key: diverged(sweep, sweep.runs["run_id"].tolist()) for key, sweep in whole.items()}) not in SETTLED


def test_the_reason_names_what_is_missing(tmp_path: Path) -> None:
    whole = tables(CASES["f_eos_mom"].holds, tmp_path)
    (entry,) = select(["f_eos_mom"])
    gone = failed(whole["polyak"], whole["polyak"].runs["run_id"].tolist())
    judged = judging.judge(entry, whole | {"polyak": gone}, "command")
    assert judged.estimate.verdict == "not_testable"
    assert "the sweep polyak" in judged.estimate.reason
    assert not judged.broken
    undecided = [condition["name"] for condition in judging.row(judged)["conditions"] if condition["holds"] is None]
    assert any(name.startswith("Polyak, β = .9") for name in undecided)
