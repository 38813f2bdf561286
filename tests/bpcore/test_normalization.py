"""Batch normalization: forward and backward by their definitions, running statistics, scale invariance."""

import numpy as np
import pytest

from bpcore import mlp, normalization
from bpcore.activations import identity
from bpcore.layers import Layers
from bpcore.network import Network
from bpcore.normalization import RunningStatistics, denormalize, normalize, normalize_with
from tests.bpcore.cases import ACTIVATIONS, LOSSES, Case, build
from tests.oracles import STEP, Array, catalogue


def arrays(shape: tuple[int, int, int] = (2, 3, 7)) -> tuple[Array, Array, Array]:
    generator = np.random.default_rng(0)
    units = (*shape[:2], 1)
    z = 2 * generator.standard_normal(shape) + generator.standard_normal(units)
    return z, generator.uniform(0.5, 1.5, units), generator.standard_normal(units)


def test_output_has_the_mean_beta_and_nearly_the_deviation_gamma() -> None:
    z, gamma, beta = arrays()
    h, statistics = normalize(z, gamma, beta, 1e-5)
    np.testing.assert_allclose(h.mean(axis=-1, keepdims=True), beta, rtol=1e-13)
    variance = z.var(axis=-1, keepdims=True)
    np.testing.assert_allclose(h.std(axis=-1, keepdims=True), gamma * np.sqrt(variance / (variance + 1e-5)), rtol=1e-12)
    np.testing.assert_allclose(statistics.mean, z.mean(axis=-1, keepdims=True), rtol=1e-14)
    np.testing.assert_allclose(statistics.variance, variance, rtol=1e-13)


def test_forward_worked_by_hand() -> None:
    h, _ = normalize(np.array([[[1.0, 3.0]]]), np.full((1, 1, 1), 2.0), np.full((1, 1, 1), 5.0), 3.0)
    np.testing.assert_allclose(h, [[[4.0, 6.0]]], rtol=1e-15)  # mean 2, variance 1, √(1+3) = 2


@pytest.mark.parametrize("eps", [1e-5, 0.5])
def test_backward_is_the_complex_step_through_forward(eps: float) -> None:
    z, gamma, beta = arrays()
    g = np.random.default_rng(1).standard_normal(z.shape)

    def J(z: Array, gamma: Array, beta: Array) -> Array:
        mean = z.sum(axis=-1, keepdims=True) / 7
        h = gamma * (z - mean) / np.sqrt(((z - mean) ** 2).sum(axis=-1, keepdims=True) / 7 + eps) + beta
        return (g * h).sum(axis=(-3, -2, -1)) / 7

    def derivative(which: int) -> Array:
        point = [z, gamma, beta]
        steps = np.eye(point[which].size).reshape(-1, *point[which].shape)
        point[which] = point[which] + 1j * STEP * steps
        return (J(*point).imag / STEP).reshape((z, gamma, beta)[which].shape)

    delta, d_gamma, d_beta = denormalize(g, gamma, normalize(z, gamma, beta, eps)[1])
    np.testing.assert_allclose(delta, 7 * derivative(0), rtol=1e-11)
    np.testing.assert_allclose(d_gamma, derivative(1), rtol=1e-12)
    np.testing.assert_allclose(d_beta, derivative(2), rtol=1e-12)


def batches(n: int) -> list[Array]:
    return [np.random.default_rng(k).standard_normal((2, 3, 6)) + k for k in range(n)]


def gathered(momentum: float, data: list[Array]) -> tuple[Array, Array]:
    running = RunningStatistics(momentum)
    unit = np.ones((2, 3, 1))
    for z in data:
        running.update({1: normalize(z, unit, 0 * unit, 1e-5)[1]})
    return running.of(1)


def test_after_one_batch_the_running_statistics_are_its_own() -> None:
    (z,) = batches(1)
    mean, variance = gathered(0.1, [z])
    np.testing.assert_allclose(mean, z.mean(axis=-1, keepdims=True), rtol=1e-13)
    np.testing.assert_allclose(variance, z.var(axis=-1, keepdims=True), rtol=1e-13)


def test_running_statistics_weigh_batches_geometrically() -> None:
    data, rho = batches(5), 0.3
    weights = np.array([rho * (1 - rho) ** (4 - k) for k in range(5)])
    weights /= weights.sum()
    mean, variance = gathered(rho, data)
    np.testing.assert_allclose(mean, sum(w * z.mean(axis=-1, keepdims=True) for w, z in zip(weights, data, strict=True)), rtol=1e-12)
    np.testing.assert_allclose(variance, sum(w * z.var(axis=-1, keepdims=True) for w, z in zip(weights, data, strict=True)), rtol=1e-12)


def test_momentum_one_keeps_the_last_batch() -> None:
    data = batches(3)
    np.testing.assert_allclose(gathered(1.0, data)[0], data[-1].mean(axis=-1, keepdims=True), rtol=1e-14)


def test_evaluation_with_the_batch_statistics_is_the_training_pass() -> None:
    z, gamma, beta = arrays()
    h, statistics = normalize(z, gamma, beta, 1e-5)
    np.testing.assert_allclose(normalize_with(z, gamma, beta, statistics.mean, statistics.variance, 1e-5), h, rtol=1e-12, atol=1e-14)
    built = build(Case("tanh", "mse", "identity", "batch", 3), (("fan_in", 0.0), ("he", 0.0)))
    trace = mlp.forward(built.network, built.params, built.x)
    running = RunningStatistics(0.1)
    running.update(trace.statistics)
    evaluated = mlp.forward(built.network, built.params, built.x, running)
    np.testing.assert_allclose(evaluated.a[built.network.L], trace.a[built.network.L], rtol=1e-11)


def scaled(factor: float) -> tuple[Layers, Layers, Array]:
    """Return gradients of a normalized net (ε negligible), those with W^2 scaled by the factor, and W^2."""
    built = build(Case("tanh", "mse", "identity", "batch", 3), (("fan_in", 0.0),))
    network = Network(
        built.network.sizes, ACTIVATIONS["tanh"](), identity(), LOSSES["mse"](), normalization.batch(eps=1e-300)
    )  # so that scale invariance is exact
    results = []
    for scale in (1.0, factor):
        params = built.params.map(lambda key, array, scale=scale: array * scale if key == ("W", 2) else array)
        params.b[2] = 0 * params.b[2]
        trace = mlp.forward(network, params, built.x)
        results.append(mlp.backward(network, params, trace, built.y, built.weight_decay)[1])
    return results[0], results[1], built.params.W[2]


@pytest.mark.parametrize("factor", [1e-3, 2.0, 50.0])
def test_scaled_weights_have_inversely_scaled_gradients(factor: float) -> None:
    plain, with_factor, _ = scaled(factor)
    np.testing.assert_allclose(factor * with_factor.W[2], plain.W[2], rtol=1e-10)
    for l in (1, 3, 4):
        np.testing.assert_allclose(with_factor.W[l], plain.W[l], rtol=1e-10)


def test_gradient_of_normalized_weights_is_orthogonal_to_them() -> None:
    plain, _, W = scaled(1.0)
    inner = (W * plain.W[2]).sum()
    assert abs(inner) <= 1e-12 * np.abs(W * plain.W[2]).sum()


@pytest.mark.parametrize("name", catalogue("normalization"))
def test_what_a_normalization_says_of_itself(name: str) -> None:
    """Whether h is another array than z, and whether an example's h depends on the rest of its batch."""
    kind = catalogue("normalization")[name]()
    assert kind.name == name
    z = arrays((2, 6, 7))[0]
    own = kind.initial(np.zeros((2, 6, 1)))
    h, kept = kind.forward(z, own)
    assert (h is not z) == kind.active == bool(own)
    others = z.copy()
    others[..., 1:] += 1
    assert np.allclose(kind.forward(others, own)[0][..., 0], h[..., 0]) != kind.needs_batch
    delta, gradients = kind.backward(np.random.default_rng(1).standard_normal(z.shape), own, kept)
    assert delta.shape == z.shape
    assert (np.abs(delta.mean(axis=-1)) < 1e-14 * np.abs(delta).max()).all() == kind.centers
    assert {name: gradient.shape for name, gradient in gradients.items()} == {name: array.shape for name, array in own.items()}


@pytest.mark.parametrize("name", catalogue("normalization"))
def test_the_error_at_fixed_statistics_is_the_slope_of_the_evaluation(name: str) -> None:
    kind, (z, gamma, beta) = catalogue("normalization")[name](), arrays((2, 6, 7))
    own = {"gamma": gamma, "beta": beta}
    _, kept = kind.forward(z, own)
    running = kind.running()
    if kind.needs_batch:
        running.update({1: kept})
    g = np.random.default_rng(1).standard_normal(z.shape)
    expected = np.empty_like(z)
    for unit in range(z.shape[1]):
        step = 1j * STEP * np.eye(z.shape[1])[unit][:, None]
        expected[:, unit] = (g * kind.evaluate(z + step, own, running, 1)).imag.sum(axis=1) / STEP
    np.testing.assert_allclose(kind.backward_fixed(g, own, kept), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("key", "value"),
    [("eps", 0.0), ("eps", -1.0), ("eps", np.nan), ("eps", np.inf), ("momentum", 0.0), ("momentum", 1.5), ("momentum", np.nan)],
)
def test_bad_arguments_are_named(key: str, value: float) -> None:
    with pytest.raises(ValueError, match=key):
        normalization.batch(**{key: value})
