"""Limits: step sizes on a quadratic, number formats by multiplying, the bound on real nets, one neuron's window."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from bpcore import mlp, theory
from bpcore.activations import Activation, sigmoid, tanh
from bpcore.initializers import normal
from bpcore.network import Network
from tests.bpcore.cases import ACTIVATIONS, LOSSES, NORMALIZATIONS, delta_norm
from tests.oracles import Array


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("nesterov", [False, True])
def test_just_below_the_limit_a_quadratic_converges_and_just_above_it_does_not(momentum: float, nesterov: bool) -> None:
    sharpness = 3.0
    for factor, converges in ((0.99, True), (1.01, False)):
        lr = factor * theory.step_size_limit(sharpness, momentum, nesterov)
        x, velocity = 1.0, 0.0
        for _ in range(3000):
            ahead = x + momentum * velocity if nesterov else x
            velocity = momentum * velocity - lr * sharpness * ahead
            x += velocity
            if abs(x) > 1e6:
                break
        assert (abs(x) < 1e-3) == converges


def test_flat_directions_have_no_limit() -> None:
    assert theory.step_size_limit(0.0) == math.inf
    assert theory.step_size_limit(2.0) == 1.0


def test_float32_of_a_sigmoid_net() -> None:
    """Sigmoid, σ_w = 1: 58.9 layers to the subnormals and 69.9 to zero, from entries of root mean square .1."""
    factor = math.sqrt(theory.depth_scales(sigmoid(), 1.0, 0.0).chi_1)
    assert theory.underflow_depth(factor, 0.1, "float32") == pytest.approx(58.9, abs=0.05)
    assert theory.underflow_depth(factor, 0.1, "float32", subnormal=True) == pytest.approx(69.9, abs=0.05)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_multiplying_underflows_where_it_is_foretold(dtype: str) -> None:
    value, steps = np.array(0.3, dtype=dtype), 0
    with np.errstate(all="ignore"):
        while value >= np.finfo(dtype).smallest_normal:
            value, steps = value * np.array(0.5, dtype=dtype), steps + 1
    assert steps == math.ceil(theory.underflow_depth(0.5, 0.3, dtype))
    assert theory.underflow_depth(0.5, 0.3, dtype, subnormal=True) > steps


def test_edges_of_underflow_and_overflow() -> None:
    assert theory.underflow_depth(1.0, 0.3, "float32") == math.inf
    assert math.isnan(theory.underflow_depth(math.nan, 0.3, "float32"))
    assert theory.underflow_depth(0.5, 1e-50, "float32") == 0
    assert theory.overflow_depth(0.9, 1.0, "float32") == math.inf
    assert theory.overflow_depth(2.0, 1.0, "float32") == pytest.approx(128, abs=1e-6)


def delta_bounds(phi: Activation, weights: list[Array], output_norm: float) -> Array:
    """Return ‖δ^l‖ ≤ γ ‖W^(l+1)‖₂ ‖δ^(l+1)‖, γ = max |φ′|, from the output down, l = 1…L."""
    bounds = [output_norm]
    for matrix in reversed(weights[1:]):
        bounds.append(bounds[-1] * phi.max_prime * float(np.linalg.norm(matrix, ord=2)))
    return np.array(bounds[::-1])


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_bound_holds_in_every_layer(name: str) -> None:
    """Pascanu 2013."""
    phi = ACTIVATIONS[name]()
    network = Network((6, 9, 7, 8, 3), phi, phi, LOSSES["mse"](), NORMALIZATIONS["none"]())
    params = mlp.initialize(network, [normal(0.9, bias_std=0.5)], [2], "float64")
    if phi.steep:
        assert np.isinf(delta_bounds(phi, [params.W[l][0] for l in range(1, 5)], 1.0)[:-1]).all()  # there is none
        return
    x, y = np.random.default_rng(0).standard_normal((2, 1, 6, 20))[:, :, :6], np.ones((1, 3, 20))
    delta, _ = mlp.backward(network, params, mlp.forward(network, params, x[0][None]), y, np.zeros((1, 1, 1)))
    norms = np.array([delta_norm(delta[l])[0] for l in range(1, 5)])
    bounds = delta_bounds(phi, [params.W[l][0] for l in range(1, 5)], norms[-1])
    assert bounds.shape == norms.shape
    assert (norms <= bounds * (1 + 1e-12)).all()
    loose = delta_bounds(tanh(), [0.01 * params.W[l][0] for l in range(1, 5)], norms[-1])
    assert (norms[:2] > loose[:2]).any()  # a bound of other weights does not hold


def test_one_neurons_window() -> None:
    """Nielsen, ch. 5: nothing up to |w| = 4, at most .4477 at 6.894."""
    best = minimize_scalar(lambda w: -theory.neuron_window(w), bounds=(4, 20), method="bounded", options={"xatol": 1e-9})
    assert -best.fun == pytest.approx(0.4477, abs=5e-5)
    assert best.x == pytest.approx(6.894, abs=5e-4)
    assert theory.neuron_window(4.0) == theory.neuron_window(-3.9) == 0
    half = theory.neuron_window(7.5) / 2
    assert 7.5 * float(sigmoid().prime(np.array(7.5 * half))) == pytest.approx(1, rel=1e-12)


def test_dead_layers() -> None:
    assert theory.dead_layer_probability((1, 2)) == pytest.approx(1 - 0.5 * 0.75, rel=1e-14)
    assert theory.dead_layer_probability((100,)) == pytest.approx(0.5**100, rel=1e-12)
    assert theory.dead_layer_probability(()) == 0
