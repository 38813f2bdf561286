import json

import pytest

from experiments.cli import main
from tests.experiments.helpers import sweep


@pytest.fixture
def folder(tmp_path):
    results = sweep(tmp_path, "activation=relu", "init=he", "depth=2", "width=32", "lr=0.1,8", "steps=60", "seed=2", tiny=False)
    return tmp_path / "sweep", results


def test_it_prints_signal_outcome_causes_verdict_and_what_to_try(folder, capsys):
    path, results = folder
    assert main(["diagnose", str(path)]) == 0
    out = capsys.readouterr().out
    healthy, ill = out.split("run 1:")
    assert "outcome: learns" in healthy
    assert "cause" not in healthy
    assert "outcome: stuck" in ill
    assert "cause: learning rate high (in training, step" in ill
    assert "next: learning rate" in ill
    for run in results.runs.to_dict("records"):
        assert f"verdict: {run['verdict']}: {run['verdict_reason']}" in out


def test_json_has_causes_as_a_list(folder, capsys):
    path, results = folder
    assert main(["diagnose", str(path), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["causes"] for row in rows] == [json.loads(text) for text in results.runs["causes"]]
    assert {row["folder"] for row in rows} == {str(path)}


def test_no_results_are_one_line(tmp_path, capsys):
    assert main(["diagnose", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
