"""Shattering: the mean cosine against a double loop, the gradients against a complex step, the law against its source."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from bpcore import mlp
from bpcore.initializers import fan_in, he
from bpcore.layers import Layers
from bpcore.measure.shattering import gradient_cosine, mean_cosine
from bpcore.network import Network, Trace
from tests.bpcore.cases import ACTIVATIONS, LOSSES, NORMALIZATIONS, SKIPS, as_problem, fits, norm_of
from tests.oracles import STEP, Array, Problem, activate, joined


def by_pairs(vectors: Array) -> float:
    live = [v / np.linalg.norm(v) for v in vectors.T if np.linalg.norm(v) > 0]
    return float(np.mean([u @ v for u, v in combinations(live, 2)]))


def network(normalization: str, activation: str, sizes: tuple[int, ...]) -> Network:
    return Network(sizes, ACTIVATIONS[activation](), ACTIVATIONS["identity"](), LOSSES["mse"](), NORMALIZATIONS[normalization]())


def test_mean_cosine_is_that_of_all_pairs() -> None:
    vectors = np.random.default_rng(0).standard_normal((3, 4, 7))
    np.testing.assert_allclose(mean_cosine(vectors), [by_pairs(one) for one in vectors], rtol=1e-12)


def test_only_directions_count() -> None:
    vectors = np.random.default_rng(0).standard_normal((1, 4, 7))
    stretched = vectors * 10.0 ** np.arange(-300, 301, 100)
    np.testing.assert_allclose(mean_cosine(stretched), mean_cosine(vectors), rtol=1e-12)


def test_what_has_no_direction_is_left_out() -> None:
    vectors = np.random.default_rng(0).standard_normal((1, 4, 7))
    padded = np.concatenate([vectors, np.zeros((1, 4, 3))], axis=-1)
    np.testing.assert_allclose(mean_cosine(padded), mean_cosine(vectors), rtol=1e-12)
    assert np.isnan(mean_cosine(padded[..., 6:])).all()  # one direction has no pair
    assert np.isnan(mean_cosine(np.where(vectors == vectors[0, 0, 0], np.nan, vectors))).all()


@pytest.mark.parametrize(("vectors", "cosine"), [([[1, 2, 5]], 1.0), ([[1, -1]], -1.0), ([[1, 0], [0, 2]], 0.0)])
def test_plain_cases(vectors: list[list[float]], cosine: float) -> None:
    assert mean_cosine(np.array([vectors], dtype=float))[0] == pytest.approx(cosine, abs=1e-15)


def function(net: Network, params: Layers, trace: Trace, l: int, z: Array) -> Array:
    """Return f from z^l on (x where l = 0), example by example, with the batch's statistics as constants."""
    a = z
    for k in range(l, net.L + 1):
        if k > l:
            a = params.W[k][0] @ a + params.b[k][0]
        if k == 0:
            continue
        norm, s = net.norm(k), trace.statistics[k]

        def normal(h: Array, k: int = k, norm: Any = norm, s: Any = s) -> Array:
            if norm.needs_batch:
                h = params.gamma[k][0] * (h - s.mean[0]) / s.std[0] + params.beta[k][0]
            elif norm.active:
                h = norm_of(norm)(h, params.gamma[k][0], params.beta[k][0])
            return h

        a = normal(net.phi(k).value(a)) if norm.after else net.phi(k).value(normal(a))
    return a.sum(axis=0)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_the_gradients_are_those_of_the_function(normalization: str) -> None:
    net = network(normalization, "tanh", (4, 6, 10, 2))
    params = mlp.initialize(net, [fan_in(bias_std=0.3)], [0], "float64")
    for l in params.gamma:
        params.gamma[l] = params.gamma[l] + 0.3 * np.arange(net.sizes[l])[:, None]
    x = np.random.default_rng(1).standard_normal((1, 4, 6))
    trace = mlp.forward(net, params, x)
    expected = []
    for l in range(net.L + 1):
        z = x[0] if l == 0 else trace.z[l][0]
        rows = [function(net, params, trace, l, z + 1j * STEP * unit[:, None]).imag / STEP for unit in np.eye(len(z))]
        expected.append(by_pairs(np.stack(rows)))
    np.testing.assert_allclose(gradient_cosine(net, params, trace)[0], expected, rtol=1e-10)


def _output(problem: Problem, place: int, tap: Array) -> Array:
    """Return a^L of a net to whose z of a layer, or to whose inputs, something is added."""
    p, z, h, a = problem.parameters, dict[int, Array](), dict[int, Array](), {0: problem.x + (tap if place == 0 else 0)}
    for l in range(1, problem.L + 1):
        z[l] = joined(problem, p, l, p["W", l] @ a[l - 1] + p["b", l], z, h) + (tap if place == l else 0)
        h[l], a[l] = activate(problem, p, l, z[l], a[l - 1])
    return a[problem.L]


@pytest.mark.parametrize("normalization", ["none", "layer", "rms-after"])
@pytest.mark.parametrize("skip", SKIPS)
def test_the_gradients_of_residual_nets(skip: str, normalization: str) -> None:
    if not fits(skip, normalization):
        return
    kinds = ACTIVATIONS["tanh"](), ACTIVATIONS["identity"](), LOSSES["mse"](), NORMALIZATIONS[normalization](), SKIPS[skip]()
    net = Network((4, 6, 6, 6, 6, 6, 2), *kinds)
    params = mlp.initialize(net, [fan_in(bias_std=0.3)], [0], "float64")
    x = np.random.default_rng(1).standard_normal((1, 4, 6))
    trace, problem = mlp.forward(net, params, x), as_problem(net, params, x, np.zeros((1, 2, 6)), np.zeros((1, 1, 1)))
    expected = []
    for l in range(net.L + 1):
        moved = [_output(problem, l, 1j * STEP * unit[:, None]).imag / STEP for unit in np.eye(net.sizes[l])]
        expected.append(by_pairs(np.stack([output[0].sum(axis=0) for output in moved])))
    np.testing.assert_allclose(gradient_cosine(net, params, trace)[0], expected, rtol=1e-10)


def test_directions_survive_where_delta_underflows() -> None:
    net = network("none", "sigmoid", (4, *[8] * 1500, 2))
    params = mlp.initialize(net, [fan_in()], [0], "float64")
    trace = mlp.forward(net, params, np.random.default_rng(1).standard_normal((1, 4, 6)))
    cosines = gradient_cosine(net, params, trace)
    assert np.isfinite(cosines).all()
    assert cosines[0, 1] > 0.99


def test_gradients_shatter_with_batch_normalization_and_not_without() -> None:
    """Balduzzi et al. 2017: 2^(−L) between independent inputs; a plain rectifier net decays far more slowly."""
    x = np.random.default_rng(0).standard_normal((1, 64, 256))
    measured = {}
    for normalization in ("none", "batch"):
        net = network(normalization, "relu", (64, *[200] * 6, 1))
        params = mlp.initialize(net, [he()] * 6, list(range(6)), "float64")
        measured[normalization] = gradient_cosine(net, params, mlp.forward(net, params, x))[:, 1].mean()
    assert measured["batch"] == pytest.approx(2.0**-6, rel=0.2)
    assert measured["none"] > 5 * 2.0**-6
