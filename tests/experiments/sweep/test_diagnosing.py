"""Results of the first edition are diagnosed from the tables that are there, and it is said what they do not hold."""

import json
import shutil

import pandas as pd
import pyarrow.parquet as pq
import pytest

from bpcore.measure.columns import FIRST
from experiments.cli import main
from experiments.store.columns import RUN_RESULTS, TABLES
from experiments.store.reading import load
from experiments.sweep.diagnosing import diagnosed
from tests.experiments.helpers import sweep

JUDGED = ["signal", "signal_reason", "outcome", "skill", "baseline_loss", "baseline_accuracy", "input_rms", "verdict"]


@pytest.fixture(scope="module")
def new(tmp_path_factory):
    words = ["depth=3", "activation=relu", "init=he", "lr=0.1,1e300", "weight_decay=0,0.01", "steps=60", "width=16"]
    return sweep(tmp_path_factory.mktemp("results"), *words, "data.n_samples=100", tiny=False)


@pytest.fixture
def old(new, tmp_path):
    """Return the folder as the first edition left one: without what is recorded since."""
    folder = shutil.copytree(new.path, tmp_path / "old")
    for name, columns in {"runs": RUN_RESULTS, **TABLES}.items():
        had = ("dead", "saturated", "verdict")
        since = [column.name for column in columns.values() if column.since > FIRST and column.name not in had]
        path = folder / f"{name}.parquet"
        pq.write_table(pq.read_table(path).drop_columns(since), path)
    return folder


def test_the_judgement_is_that_of_the_run_itself(new, old):
    found, (note,) = diagnosed(load(old))
    pd.testing.assert_frame_equal(found.runs[JUDGED], new.runs[JUDGED])
    assert found.runs["outcome"].nunique() > 1
    for ours, theirs in zip(found.runs["causes"], new.runs["causes"], strict=True):
        assert {cause["cause"] for cause in json.loads(ours)} == {cause["cause"] for cause in json.loads(theirs)}
    assert note.startswith("4 runs of the first edition, diagnosed from the tables that are there")
    assert "not recorded: equal_units, and what was not finite first" in note


def test_what_was_not_recorded_is_said_and_not_made_up(old, capsys):
    assert main(["diagnose", str(old)]) == 0
    said = capsys.readouterr().out
    assert "not recorded: equal_units" in said
    assert "None" not in said
    assert "which was the first was not recorded" in said
    assert main(["diagnose", str(old), "--json"]) == 0
    assert {row["outcome"] for row in json.loads(capsys.readouterr().out)} == {"learns", "diverged"}


def test_without_its_data_it_is_said_why_nothing_can_be(old, capsys):
    provenance = json.loads((old / "provenance.json").read_text())
    provenance["data"][0]["sha256"], provenance["arithmetic_version"] = "0" * 64, FIRST
    (old / "provenance.json").write_text(json.dumps(provenance))
    assert main(["diagnose", str(old)]) == 0
    said = capsys.readouterr().out
    assert "4 runs of the first edition cannot be diagnosed" in said
    assert "had other data" in said


def test_results_that_have_a_diagnosis_are_left_alone(new):
    found, notes = diagnosed(new)
    assert found is new
    assert notes == []
