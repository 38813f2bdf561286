import json

import numpy as np

from experiments.report.terminal import describe_run, describe_sweep, run_rows
from experiments.text.plain import as_json
from tests.experiments.helpers import sweep


def test_one_run_shows_every_layer_with_its_norm_and_a_bar(tmp_path):
    results = sweep(tmp_path, "depth=3", "activation=sigmoid", "steps=1", multirun=False)
    lines = describe_run(results).splitlines()
    rows = [line.split() for line in lines[2:7]]
    step0 = results.layers[results.layers["step"] == 0]
    assert [row[0] for row in rows] == ["0", "1", "2", "3", "4"]
    np.testing.assert_allclose([float(row[1]) for row in rows], step0["delta_norm"], rtol=5e-3)
    lengths = [row[-1].count("█") for row in rows]
    assert lengths == sorted(lengths)  # δ grows toward the output


def test_a_deep_net_is_cut_in_the_middle(tmp_path):
    text = describe_run(sweep(tmp_path, "depth=100", "steps=0", multirun=False))
    assert "(62 layers)" in text
    assert len(text.splitlines()) < 60


def test_a_linear_classifier_has_no_factor(tmp_path):
    text = describe_run(sweep(tmp_path, "depth=0", "steps=1", multirun=False))
    assert "factor per hidden layer, toward the input: –" in text


def test_a_sweep_is_one_line_a_setting(tmp_path):
    results = sweep(tmp_path, "depth=2,3", "seed=0,1", "steps=1")
    lines = describe_sweep(results).splitlines()
    assert lines[0].split()[:3] == ["depth", "runs", "factor"]
    assert [line.split()[:2] for line in lines[1:3]] == [["2", "2"], ["3", "2"]]


def test_json_holds_what_json_cannot(tmp_path):
    results = sweep(tmp_path, "activation=relu", "init.scale=1e150", "depth=5", "steps=1", multirun=False)
    (row,) = json.loads(as_json(run_rows(results)))
    assert row["status"] == "diverged"
    assert row["error"] is None
    assert len(row["delta_norm"]) == 7


def test_where_the_learning_rate_is_in_question_the_convention_is_said_if_there_are_two(tmp_path):
    words = ["lr=1e4", "steps=30", "record.every=10"]
    said = "one from PyTorch or Keras, whose losses are means, fits with loss.reduction=mean"
    results = {name: sweep(tmp_path, f"loss={name}", *words, multirun=False, name=name) for name in ("mse", "softmax_cross_entropy")}
    assert all("learning_rate_high" in held.runs["causes"].iloc[0] for held in results.values())
    assert said in describe_run(results["mse"])
    assert said not in describe_run(results["softmax_cross_entropy"])
    averaged = sweep(tmp_path, "loss=mse", "loss.reduction=mean", "lr=1e5", *words[1:], multirun=False, name="mean")
    assert "learning_rate_high" in averaged.runs["causes"].iloc[0]
    assert said not in describe_run(averaged)
    assert said not in describe_run(sweep(tmp_path, "loss=mse", "lr=0.1", "steps=200", multirun=False, name="well"))
