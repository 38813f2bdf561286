"""Predictions of whole runs against their measurement, missing ones with their reason, and that equal ones are shared."""

import copy
import math
import time
from typing import Any

import numpy as np
import pytest

from experiments.config.files import choice
from experiments.config.run import Run
from experiments.config.validation import validate
from experiments.sweep.tile import run_tile
from experiments.theory.prediction import Prediction, predict
from tests.oracles import catalogue

EQUAL_WEIGHTS = {"constant", "ones"}
GROUPS = ("activation", "init", "normalization", "loss", "data")


def run_of(base: dict[str, Any], **changes: Any) -> Run:
    config = copy.deepcopy(base) | {"width": 64, "steps": 0}
    config["data"]["n_samples"] = 300
    for key, value in changes.items():
        group, _, sub = key.partition("__")
        if key in GROUPS:
            config[key] = choice(key, value)
        elif sub:
            config[group][sub] = value
        else:
            config[key] = value
    return validate(config)


def measured(run: Run, seeds: int = 4) -> np.ndarray:
    """Return the norms of δ by layer at step 0, one row a seed."""
    runs = [validate(run.config | {"seed": seed}) for seed in range(seeds)]
    layers = [run_tile([run]).tables["layers"].to_pandas() for run in runs]
    return np.array([frame.loc[frame["step"] == 0, "delta_norm"].to_numpy() for frame in layers])


def by_name(name: str) -> dict[str, Any]:
    """Return settings at which a net of this initializer stays in range."""
    scale = {"normal": 0.15, "uniform": 0.26, "truncated_normal": 0.17, "constant": 0.02, "ones": 0.02, "he": 0.8}.get(name, 1.0)
    return {"init": name, "init__scale": scale, "loss": "mse" if name in EQUAL_WEIGHTS else "softmax_cross_entropy"}


@pytest.mark.parametrize("normalization", ["none", "batch", "layer", "rms"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_dropped_units(base: dict[str, Any], activation: str, normalization: str) -> None:
    run = run_of(base, depth=6, activation=activation, normalization=normalization, dropout__rate=0.4)
    prediction, norms = predict(run), measured(run, seeds=6)
    mean = np.sqrt((norms**2).mean(axis=0))
    drift = 0.2 if normalization == "none" else 0.1 + 0.04 * np.arange(7, -1, -1)
    assert (np.abs(np.log(prediction.delta_norm(math.nan) / mean)) < drift).all()
    low, high = prediction.band
    if normalization == "none":
        factors = (norms[:, 1] / norms[:, 6]) ** (1 / 5)
        assert ((low < factors) & (factors < high)).all()
        whole = predict(run_of(base, depth=6, activation=activation, normalization=normalization))
        assert whole.delta_factor < 0.95 * prediction.delta_factor
        assert whole.factor_log_std < prediction.factor_log_std


@pytest.mark.parametrize("normalization", ["none", "batch"])
@pytest.mark.parametrize("name", [name for name in catalogue("init") if name not in (*EQUAL_WEIGHTS, "lsuv")])
def test_every_initializer(base: dict[str, Any], name: str, normalization: str) -> None:
    run = run_of(base, depth=6, normalization=normalization, **by_name(name))
    prediction, norms = predict(run), measured(run, seeds=8)  # a mean of 4 strays by up to 1 % from that of 24
    assert prediction.reason == ""
    mean = np.sqrt((norms**2).mean(axis=0))
    # under batch normalization at finite width the theory is known to be up to 4 % a layer too low, which adds up
    drift = 0.2 if normalization == "none" else 0.1 + 0.04 * np.arange(7, -1, -1)
    assert (np.abs(np.log(prediction.delta_norm(math.nan) / mean)) < drift).all()
    factors = (norms[:, 1] / norms[:, 6]) ** (1 / 5)
    assert prediction.delta_factor == pytest.approx(factors.mean(), rel=0.04)


@pytest.mark.parametrize("normalization", ["none", "batch"])
@pytest.mark.parametrize("name", catalogue("activation"))
def test_every_activation(base: dict[str, Any], name: str, normalization: str) -> None:
    run = run_of(base, depth=6, activation=name, normalization=normalization)
    prediction = predict(run)
    if run.activation.steep:  # a theory of wide nets would say 47 per layer under batch normalization, where 1.5 are measured
        assert math.isnan(prediction.delta_factor)
        assert "no bound" in prediction.reason
        return
    norms = measured(run)
    factors = (norms[:, 1] / norms[:, 6]) ** (1 / 5)
    assert prediction.delta_factor == pytest.approx(factors.mean(), rel=0.05)
    if normalization == "none":  # the spread between seeds is of the predicted size
        deviation = np.log(factors / prediction.delta_factor) / prediction.factor_log_std
        assert np.abs(deviation).max() < 4
        if name == "relu":
            assert prediction.factor_log_std == pytest.approx(math.sqrt(5 * 5 / 64) / 2 / 5, rel=1e-12)


@pytest.mark.parametrize("loss", catalogue("loss"))
@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_every_loss_at_the_output(base: dict[str, Any], loss: str, normalization: str) -> None:
    run = run_of(base, depth=3, loss=loss, normalization=normalization)
    norms = measured(run, seeds=8)[:, -1]
    assert predict(run).output_norm == pytest.approx(np.sqrt((norms**2).mean()), rel=0.06)


@pytest.mark.parametrize("name", sorted(EQUAL_WEIGHTS))
def test_equal_weights_are_predicted_to_rounding(base: dict[str, Any], name: str) -> None:
    run = run_of(base, depth=5, **by_name(name))
    np.testing.assert_allclose(predict(run).delta_norm(math.nan), measured(run, seeds=1)[0], rtol=1e-10)


def test_small_scales_under_batch_normalization_feel_epsilon(base: dict[str, Any]) -> None:
    """At σ_w = .003 z varies by 1e-5 only, as much as ε: a theory without ε would say the same as at σ_w = 1."""
    small, usual = (run_of(base, depth=5, normalization="batch", init__scale=scale) for scale in (0.003, 1.0))
    prediction, norms = predict(small), measured(small)
    factors = (norms[:, 1] / norms[:, 5]) ** (1 / 4)
    assert prediction.delta_factor == pytest.approx(factors.mean(), rel=0.1)
    assert predict(usual).delta_factor > 1.3 * prediction.delta_factor  # what it would say if it forgot ε


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"init": "constant", "init__bias_std": 0.5}, "random biases"),
        ({"init__mean": 0.01}, "random weights of a mean that is not 0"),
        ({"init__mean": 0.01, "normalization": "batch"}, "random weights of a mean that is not 0"),
        ({"init": "lsuv"}, "fitted to examples"),
        ({"init": "lsuv", "normalization": "batch"}, "fitted to examples"),
        ({"init": "constant", "normalization": "batch"}, "batch normalization"),
        ({"normalization": "batch", "batch_size": 3}, "fewer than 4"),
        ({"activation": "relu", "init__scale": 1e120, "depth": 8}, "finite numbers"),
    ],
)
def test_where_there_is_no_theory_the_value_is_missing_and_says_why(base: dict[str, Any], changes: dict[str, Any], reason: str) -> None:
    prediction = predict(run_of(base, **changes))
    assert math.isnan(prediction.delta_factor)
    assert reason in prediction.reason


def test_a_net_without_two_hidden_layers_has_no_factor(base: dict[str, Any]) -> None:
    for depth in (0, 1):
        for normalization in ("none", "batch"):
            run = run_of(base, depth=depth, normalization=normalization)
            prediction = predict(run)
            assert math.isnan(prediction.delta_factor)
            assert prediction.reason == ""
            assert prediction.delta_norm(math.nan).shape == (depth + 2,)
            np.testing.assert_allclose(prediction.delta_norm(math.nan), np.sqrt((measured(run) ** 2).mean(axis=0)), rtol=0.1)


def test_without_a_predicted_output_the_measured_one_is_the_anchor() -> None:
    empty = np.full(3, math.nan)
    prediction = Prediction(np.array([0.5, 0.5]), math.nan, empty, math.nan, math.nan)
    np.testing.assert_array_equal(prediction.delta_norm(8.0), [2.0, 4.0, math.nan])
    known = Prediction(np.array([0.5, 0.5]), 1.0, empty, math.nan, math.nan)
    np.testing.assert_array_equal(known.delta_norm(8.0), [0.25, 0.5, 1.0])


@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
def test_the_smaller_output_of_mup_makes_all_delta_smaller(base: dict[str, Any], normalization: str) -> None:
    """δ^L is that of smaller outputs, and all below come through W^L, √(n_b/n) as large."""
    plain = run_of(base, depth=4, normalization=normalization, activation="relu", init="he")
    run = validate(plain.config | {"parametrization": choice("parametrization", "mup") | {"base_width": 4}})
    prediction, norms = predict(run), measured(run, seeds=6)
    assert (np.abs(np.log(prediction.delta_norm(math.nan) / np.sqrt((norms**2).mean(axis=0)))) < 0.2).all()
    np.testing.assert_allclose(prediction.factors[:-1], predict(plain).factors[:-1], rtol=1e-14)
    assert prediction.factors[-1] == pytest.approx(predict(plain).factors[-1] / 4, rel=1e-14)
    assert prediction.output_norm < predict(plain).output_norm


def test_ntk_starts_as_the_standard_parametrization_does(base: dict[str, Any]) -> None:
    plain = run_of(base, depth=3)
    run = validate(plain.config | {"parametrization": choice("parametrization", "ntk")})
    assert np.array_equal(measured(run, 1), measured(plain, 1))
    assert np.array_equal(predict(run).factors, predict(plain).factors)


def test_runs_that_differ_in_training_alone_share_a_prediction(base: dict[str, Any]) -> None:
    run = run_of(base, depth=4)
    first = predict(run)
    for change in ({"seed": 5}, {"lr": 0.7}, {"batch_size": 10}, {"dtype": "float32"}, {"weight_decay": 0.1}):
        assert predict(validate(run.config | change)) is first, change
    for key, value in {"depth": 5, "width": 65, "init__scale": 1.1, "data__n_samples": 299, "loss": "mse"}.items():
        other = run_of(base, **{"depth": 4, key: value})
        if key == "data__n_samples":
            other = validate(other.config | {"data": other.config["data"] | {"n_samples": 299}})
        assert predict(other) is not first, key
    normalized = run_of(base, depth=4, normalization="batch")
    assert predict(validate(normalized.config | {"batch_size": 10})) is not predict(normalized)


def test_a_new_setting_is_predicted_quickly(base: dict[str, Any]) -> None:
    """In processor time, best of three; ten times what it takes here."""
    times = []
    for i in range(3):
        run = run_of(base, depth=50, init__scale=1.0 + 0.01 * i, activation="gelu")
        assert run.data is run.data  # read before the clock starts
        start = time.process_time()
        predict(run)
        times.append(time.process_time() - start)
    assert min(times) < 0.3
