"""Modes of linear networks: what they are, and that they learn as Saxe et al. say."""

import numpy as np
import pytest

from bpcore import mlp
from bpcore.initializers import fan_in, orthogonal
from bpcore.layers import Layers
from bpcore.measure.modes import data_modes, end_to_end, modes
from bpcore.network import Network
from tests.bpcore.cases import ACTIVATIONS, LOSSES, NORMALIZATIONS


def network(sizes: tuple[int, ...]) -> Network:
    phi = ACTIVATIONS["identity"]()
    return Network(sizes, phi, phi, LOSSES["mse"](), NORMALIZATIONS["none"]())


def test_the_map_is_what_the_network_does() -> None:
    net = network((4, 6, 5, 3))
    params = mlp.initialize(net, [fan_in(), fan_in(scale=2.0)], [0, 1], "float64")
    x = np.random.default_rng(0).standard_normal((1, 4, 7))
    np.testing.assert_allclose(end_to_end(params) @ x, mlp.forward(net, params, x).a[3], rtol=1e-12)


def test_the_modes_of_the_data_give_back_its_correlation() -> None:
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((4, 9)), generator.standard_normal((3, 9))
    U, s, Vh = data_modes(x, y)
    np.testing.assert_allclose((U * s) @ Vh, y @ x.T / 9, rtol=1e-12)
    assert (np.diff(s) < 0).all()


def test_a_network_that_is_the_solution_has_its_targets_as_strengths() -> None:
    generator = np.random.default_rng(0)
    x = 2 * np.linalg.qr(generator.standard_normal((4, 4)))[0]  # white
    y = generator.standard_normal((3, 4)) @ x
    params = Layers(W={1: (y @ x.T / 4)[None], 2: np.eye(3)[None]})
    measured = modes(params, x, y)
    for name in ("strength", "singular_value"):
        np.testing.assert_allclose(measured[name], measured["target"], rtol=1e-12)


def test_orthogonal_weights_keep_every_singular_value_and_gaussian_ones_do_not() -> None:
    params = mlp.initialize(network((6,) * 52), [orthogonal(), fan_in()], [0, 0], "float64")
    values = modes(params, np.eye(6), np.eye(6))["singular_value"]
    np.testing.assert_allclose(values[0], 1, rtol=1e-12)
    assert values[1, 0] / values[1, -1] > 1e6


def test_a_lost_run_has_no_modes_and_its_neighbor_has() -> None:
    params = mlp.initialize(network((3, 3, 3)), [fan_in(), fan_in()], [0, 1], "float64")
    params.W[1][0, 0, 0] = np.inf
    measured = modes(params, np.eye(3), np.eye(3))
    for name in ("strength", "singular_value"):
        assert np.isnan(measured[name][0]).all()
        assert np.isfinite(measured[name][1]).all()


@pytest.mark.parametrize("s", [1.0, 3.0])
def test_a_mode_is_learned_when_saxe_says(s: float) -> None:
    """t = (τ/2s) ln[u_f(s − u₀)/(u₀(s − u_f))] (Saxe et al. 2013, eq. 11), to the order of the step."""
    u, lr, steps = 0.01, 1e-3, 0
    params = Layers(W={l: np.full((1, 1, 1), np.sqrt(u)) for l in (1, 2)}, b={l: np.zeros((1, 1, 1)) for l in (1, 2)})
    net, x, y = network((1, 1, 1)), np.ones((1, 1, 1)), np.full((1, 1, 1), s)
    while modes(params, x[0], y[0])["strength"][0, 0] < 0.9 * s:
        _, gradients = mlp.backward(net, params, mlp.forward(net, params, x), y, np.zeros((1, 1, 1)))
        for l in (1, 2):
            params.W[l] = params.W[l] - lr * gradients.W[l]
        steps += 1
    predicted = np.log(0.9 * s * (s - u) / (u * (s - 0.9 * s))) / (2 * s)
    assert steps * lr == pytest.approx(predicted, rel=5e-3)
