"""Normalization example by example: published rates, the order of φ and the normalization, and simulated nets."""

import math

import numpy as np
import pytest

from bpcore import mlp, theory
from bpcore.activations import Activation, identity, leaky_relu, relu, sigmoid, tanh
from bpcore.framework_initializers import pytorch
from bpcore.initializer import Initializer
from bpcore.initializers import fan_in
from bpcore.network import Network
from tests.bpcore.cases import LOSSES, NORMALIZATIONS, delta_norm


@pytest.mark.parametrize(
    ("phi", "rate"),
    [(relu(), 1.0), (leaky_relu(), 1.0), (identity(), 1.0), (tanh(), 1.1778), (sigmoid(), 0.1528)],
    ids=lambda value: getattr(value, "name", None),
)
def test_before_the_activation_no_scale_of_weights_matters(phi: Activation, rate: float) -> None:
    """E φ′²/E φ² (Doshi et al. 2023), LayerNorm and RMSNorm alike."""
    for sigma_w2 in (0.25, 1.0, 9.0):
        for centered in (True, False):
            assert theory.example_norm_rate(phi, sigma_w2, centered, False) == pytest.approx(rate, abs=5e-5)


@pytest.mark.parametrize(
    ("phi", "sigma_w", "layer", "rms"),
    [
        (relu(), 1.0, math.pi / (math.pi - 1), 1.0),
        (sigmoid(), 1.0, 1.0336, 0.1528),
        (tanh(), 1.0, 1.1778, 1.1778),
        (tanh(), 2.0, 1.6116, 1.6116),
        (tanh(), 0.5, 1.0336, 1.0336),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_after_the_activation_the_two_differ(phi: Activation, sigma_w: float, layer: float, rms: float) -> None:
    assert theory.example_norm_rate(phi, sigma_w**2, True, True) == pytest.approx(layer, abs=5e-5)
    assert theory.example_norm_rate(phi, sigma_w**2, False, True) == pytest.approx(rms, abs=5e-5)


def test_after_a_sigmoid_it_is_tanh_at_half_the_scale() -> None:
    """σ(z) = ½ + ½ tanh(z/2), and the normalization takes both constants away."""
    for sigma_w in (0.7, 1.0, 3.0):
        one = theory.example_norm_rate(sigmoid(), sigma_w**2, True, True)
        assert one == pytest.approx(theory.example_norm_rate(tanh(), sigma_w**2 / 4, True, True), rel=1e-9)


@pytest.mark.parametrize("init", [fan_in(1.2, bias_std=0.2), pytorch()], ids=lambda init: init.name)
@pytest.mark.parametrize("normalization", ["layer", "rms", "layer-after", "rms-after"])
@pytest.mark.parametrize("phi", [relu(), tanh(), sigmoid()], ids=lambda phi: phi.name)
def test_a_wide_net_has_the_predicted_factors(phi: Activation, normalization: str, init: Initializer) -> None:
    """Root mean square over 6 seeds, with biases, unequal widths and an ε that is felt."""
    sizes, eps = (100, 300, 200, 400, 300, 100), 0.01
    kind = NORMALIZATIONS[normalization](eps=eps)
    network = Network(sizes, phi, identity(), LOSSES["mse"](), kind)
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((1, 100, 16)), 1e4 * generator.standard_normal((1, 100, 16))
    params = mlp.initialize(network, [init] * 6, list(range(6)), "float64")
    trace = mlp.forward(network, params, x)
    delta, _ = mlp.backward(network, params, trace, y, np.zeros((1, 1, 1)))
    delta[0] = mlp.input_gradient(params, delta)
    squares = np.array([(delta_norm(delta[l]) ** 2).mean() for l in range(6)])
    factors, q = theory.example_norm_factors(
        phi, sizes, init.variance, init.bias_std_at, (x[0] ** 2).sum(axis=0), eps, normalization.startswith("layer"), kind.after
    )
    np.testing.assert_allclose(np.sqrt(squares[:-1] / squares[1:]), factors, rtol=0.06)
    assert float(trace.z[5].var()) == pytest.approx(q, rel=0.1)


@pytest.mark.parametrize(("centered", "name", "share"), [(True, "layer", 18 / 17), (False, "rms", 19 / 18)])
def test_few_units_of_a_linear_net_have_the_exact_share(centered: bool, name: str, share: float) -> None:
    """Of 20 units 1.059 under LayerNorm and 1.056 under RMSNorm; the mean over nets, to four standard errors."""
    assert theory.finite_share(identity(), 20, centered) == pytest.approx(share, rel=1e-15)
    assert theory.finite_share(relu(), 20, centered) == 1
    runs, sizes = 400, (20,) * 12
    network = Network(sizes, identity(), identity(), LOSSES["mse"](), NORMALIZATIONS[name](eps=1e-12))
    params = mlp.initialize(network, [fan_in()] * runs, list(range(runs)), "float64")
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((1, 20, 8)), 1e6 * generator.standard_normal((1, 20, 8))
    delta, _ = mlp.backward(network, params, mlp.forward(network, params, x), y, np.zeros((1, 1, 1)))
    own = np.log([(delta[1] ** 2).mean(axis=(-2, -1)), (delta[11] ** 2).mean(axis=(-2, -1))])
    ratio = np.exp(own[0] - own[1])
    rate, error = ratio.mean() ** 0.1, ratio.std() / ratio.mean() / np.sqrt(runs) / 10
    factors, _ = theory.example_norm_factors(
        identity(), sizes, fan_in().variance, lambda fan: 0.0, (x[0] ** 2).sum(axis=0), 1e-12, centered, False
    )
    assert factors[5] ** 2 == pytest.approx(share, rel=1e-9)
    assert rate == pytest.approx(share, abs=4 * error * share)
    assert abs(rate - 1) > 4 * error
