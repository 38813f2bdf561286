"""The forward pass, the objective and what surrounds the four equations."""

from itertools import product

import numpy as np
import pytest

from bpcore import mlp
from bpcore.initializers import fan_in, he
from bpcore.normalization import RunningStatistics
from bpcore.streams import stream
from tests.bpcore.cases import ACTIVATIONS, LOSSES, NORMALIZATIONS, Case, build
from tests.every import every
from tests.oracles import forward

RUNS = (("fan_in", 0.0), ("he", 0.2))


@every(product(ACTIVATIONS, LOSSES, NORMALIZATIONS), by=lambda activation, *_: activation)
def test_forward_pass_and_objective_are_those_of_the_plain_loops(activation: str, loss: str, normalization: str) -> None:
    built = build(Case(activation, loss, "identity", normalization, 3), RUNS)
    trace, expected = mlp.forward(built.network, built.params, built.x), forward(built.problem)
    for l in range(1, 5):
        np.testing.assert_allclose(trace.z[l], expected.z[l], rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(trace.h[l], expected.h[l], rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(trace.a[l], expected.a[l], rtol=1e-11, atol=1e-13)
    J = mlp.objective(built.network, built.params, trace, built.y, built.weight_decay)
    np.testing.assert_allclose(J, expected.J, rtol=1e-12)


def test_only_weights_are_penalized() -> None:
    built = build(Case("tanh", "mse", "identity", "batch", 2), (("fan_in", 0.5),))
    trace = mlp.forward(built.network, built.params, built.x)
    penalized, plain = (mlp.objective(built.network, built.params, trace, built.y, np.full((1, 1, 1), decay)) for decay in (0.5, 0.0))
    squares = sum((array**2).sum() for array in built.params.W.values())
    assert penalized - plain == pytest.approx(0.25 * squares, rel=1e-12)


def test_parameters_start_as_declared() -> None:
    network = Case("tanh", "mse", "identity", "batch", 2).network()
    params = mlp.initialize(network, [fan_in(), he(bias_std=0.5)], [3, 4], "float32")
    assert {key: array.shape for key, array in params.items()} == {
        ("W", 1): (2, 5, 4),
        ("W", 2): (2, 4, 5),
        ("W", 3): (2, 3, 4),
        ("b", 1): (2, 5, 1),
        ("b", 2): (2, 4, 1),
        ("b", 3): (2, 3, 1),
        ("gamma", 1): (2, 5, 1),
        ("gamma", 2): (2, 4, 1),
        ("beta", 1): (2, 5, 1),
        ("beta", 2): (2, 4, 1),
    }
    assert all(array.dtype == np.float32 and array.flags.c_contiguous for _, array in params.items())
    assert (params.gamma[1] == 1).all()
    assert not params.beta[1].any()
    assert not params.b[1][0].any()
    assert params.b[1][1].all()


def test_float32_starts_from_the_rounded_float64_weights() -> None:
    network = Case("tanh", "mse", "identity", "none", 2).network()
    wide, narrow = (mlp.initialize(network, [he(bias_std=1.0)], [7], dtype) for dtype in ("float64", "float32"))
    for key, array in wide.items():
        assert np.array_equal(array.astype(np.float32), narrow[key])


def test_streams_do_not_coincide() -> None:
    first = {
        (seed, purpose, index): stream(seed, purpose, index).standard_normal()
        for seed in (0, 1, 2**40)
        for purpose in ("weights", "biases", "batches")
        for index in (0, 1, 2)
    }
    assert len(set(first.values())) == len(first)
    assert stream(0, "weights", 1).standard_normal() == first[0, "weights", 1]


def test_accuracy_counts_right_classes_per_run() -> None:
    y = np.eye(3)[None]
    output = np.stack([np.eye(3), np.roll(np.eye(3), 1, axis=0), np.eye(3)[[0, 2, 1]]])
    np.testing.assert_allclose(mlp.accuracy(output, y), [1, 0, 1 / 3])
    output[1, 0, 0] = np.nan
    assert np.isnan(mlp.accuracy(output, y)[1])
    assert np.isnan(mlp.accuracy(np.ones((2, 1, 5)), np.ones((1, 1, 5)))).all()


def test_a_single_logit_is_right_where_its_sign_is() -> None:
    z = np.array([[[-1.0, 2.0, 0.0, 3.0]], [[1.0, -2.0, 1e-300, -3.0]], [[np.inf, 1.0, 1.0, 1.0]]])
    y = np.array([[[0.0, 1.0, 0.0, 0.0]]])
    np.testing.assert_array_equal(mlp.accuracy(z, y, one_logit=True), [0.75, 0.25, np.nan])
    np.testing.assert_array_equal(mlp.accuracy(z[:1], np.array([[[0.49, 0.5, 0.51, 1.0]]]), one_logit=True), [0.75])


def test_evaluation_without_normalization_is_the_forward_pass() -> None:
    built = build(Case("gelu", "mse", "sigmoid", "none", 3), RUNS)
    trace = mlp.forward(built.network, built.params, built.x)
    assert np.array_equal(mlp.forward(built.network, built.params, built.x, RunningStatistics(0.1)).a[built.network.L], trace.a[4])
