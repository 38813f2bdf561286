"""What is measured of a start once more is what the start had, whatever the run was computed beside."""

import numpy as np
import pytest

from experiments.config.files import choice
from experiments.store.parts import snapshot_name
from experiments.sweep.again import _start, initial_loss, initial_sharpness
from experiments.sweep.restore import recorded_runs
from experiments.sweep.tile import run_tile
from tests.experiments.conftest import made
from tests.experiments.helpers import sweep

STEPPED_OVER = ["lr=30", "activation=relu", "init=he", "depth=2", "steps=20", "record.every=5"]


def runs_of(results):
    return recorded_runs(results.path, {"name": None, "results_dir": "results", "executor": choice("executor", "serial")})


@pytest.mark.parametrize("normalization", ["none", "batch"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_loss_of_a_start_is_that_of_a_run_without_an_update(tmp_path, normalization, dtype):
    words = ["batch_size=20", "steps=0", f"normalization={normalization}", f"dtype={dtype}", "weight_decay=0.1"]
    results = sweep(tmp_path, *words, multirun=False)
    layers = results.layers[results.layers["step"] == 0]
    decay = 0.05 * (layers["weight_norm"] ** 2).sum()
    (run,) = runs_of(results)
    assert initial_loss(run) == pytest.approx(results.runs["final_loss"].iloc[0] - decay, rel=1e-5 if dtype == "float32" else 1e-12)


def test_the_sharpness_of_a_start_is_that_of_step_0_on_the_same_examples(tmp_path):
    words = ["data=chebyshev", "loss=mse", "data.n_samples=40", "steps=0", "depth=2", "record.sharpness=true"]
    results = sweep(tmp_path, *words, multirun=False)
    (run,) = runs_of(results)
    assert initial_sharpness(run) == pytest.approx(results.steps["sharpness"].iloc[0], rel=1e-3)


def test_a_net_too_large_for_it_has_none(tmp_path, monkeypatch):
    (run,) = runs_of(sweep(tmp_path, "steps=0", multirun=False))
    monkeypatch.setattr("experiments.sweep.again.MOST_WEIGHTS", run.weights - 1)
    assert np.isnan(initial_sharpness(run))


def test_it_is_the_same_alone_and_stacked_and_beside_healthy_runs(base, tmp_path):
    words = [word for word in STEPPED_OVER if not word.startswith("lr")]
    together = made(base, tmp_path / "together", [*words, "lr=0.01,30.0", "batch_size=25", "seed=0,1,2"])
    high = together.runs[together.runs["lr"] == 30.0]
    in_question = high["causes"].str.contains("learning_rate")
    assert in_question.sum() > 1
    assert high["initial_sharpness"].notna().tolist() == in_question.tolist()
    assert high["initial_sharpness"].nunique() == in_question.sum()
    healthy = together.runs[(together.runs["lr"] == 0.01) & (together.runs["outcome"] == "learns")]
    assert healthy["initial_sharpness"].isna().all()
    for run in runs_of(together)[3:]:
        (row,) = run_tile([run]).runs
        beside = together.runs.set_index("run_id").loc[run.run_id]
        np.testing.assert_array_equal(row["initial_sharpness"], beside["initial_sharpness"])
        assert row["causes"] == beside["causes"]


@pytest.mark.parametrize("batch_size", ["null", "16"])
@pytest.mark.parametrize("init", ["pytorch", "lsuv"])
def test_a_start_is_the_one_that_the_run_had(tmp_path, init, batch_size):
    """Weights that are fitted to examples are fitted to those that the run saw first."""
    net = ["activation=relu", "depth=3", "width=6", "steps=0", "record.snapshot=0", f"init={init}", f"batch_size={batch_size}"]
    results = sweep(tmp_path, *net, multirun=False)
    (run,) = runs_of(results)
    start = _start(run)
    with np.load(results.path / snapshot_name(run.run_id)) as snapshot:
        for l in range(1, 5):
            np.testing.assert_array_equal(start.W[l][0], snapshot[f"W{l}"])
            np.testing.assert_array_equal(start.b[l][0], snapshot[f"b{l}"])
