"""Theory of nets whose units are dropped: published digits, closed forms, and simulated nets of two widths."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from bpcore import mlp, theory
from bpcore.activations import Activation, elu, gelu, identity, relu, sigmoid, tanh
from bpcore.dropout import Dropout, Masks
from bpcore.example_normalization import PerExample
from bpcore.initializers import Initializer, fan_in, he, orthogonal
from bpcore.network import Network
from tests.bpcore.cases import LOSSES, NORMALIZATIONS, delta_norm
from tests.oracles import Array


@pytest.mark.parametrize(("keep", "sigma_w2", "rate"), [(0.5, 1.0, 1.0), (0.5, 2.0, 2.0), (0.8, 2.0, 1.25), (0.9, 2.0, 1.1111)])
def test_relu_is_critical_at_twice_the_share_that_is_kept(keep: float, sigma_w2: float, rate: float) -> None:
    """Pretorius et al. 2018: σ_w²/(2p), forward and backward."""
    assert theory.depth_scales(relu(), sigma_w2, 0.0, keep=keep).chi_1 == pytest.approx(rate, abs=5e-5)
    net = theory.propagate(relu(), (50,) * 5, fan_in(math.sqrt(sigma_w2)).variance, 0.0, 50.0, keep)
    np.testing.assert_allclose(net.factors[1:] ** 2, rate, atol=5e-5)
    np.testing.assert_allclose(np.array(net.variances[1:]) / net.variances[:-1], rate, atol=5e-5)
    assert net.factors[0] ** 2 == pytest.approx(sigma_w2)  # no input is dropped


@pytest.mark.parametrize(("keep", "rate"), [(1.0, 0.8802), (0.8, 0.9696), (0.5, 1.1492)])
def test_published_rates_of_tanh(keep: float, rate: float) -> None:
    """σ_w² = 1.3, σ_b² = .05: q = (σ_w²/p) E tanh² + σ_b², χ = (σ_w²/p) E tanh′²."""
    scales = theory.depth_scales(tanh(), 1.3, 0.05, keep=keep)
    assert scales.chi_1 == pytest.approx(rate, abs=5e-5)
    assert scales.q == pytest.approx(1.3 / keep * theory.second_moment(tanh(), scales.q) + 0.05, rel=1e-12)


@pytest.mark.parametrize(("keep", "c", "xi", "six"), [(0.9, 0.6271, 2.274, 13.6), (0.8, 0.4728, 1.554, 9.3), (0.5, 0.2172, 0.796, 4.8)])
def test_published_correlations_of_critical_relu(keep: float, c: float, xi: float, six: float) -> None:
    """Pretorius et al. 2018: c = pJ(c), J the ReLU map, and ξ = −1/ln(p(π − arccos c)/π)."""
    scales = theory.depth_scales(relu(), 2 * keep, 0.0, keep=keep)
    assert scales.phase == "critical"
    assert (scales.c, scales.xi_c) == (pytest.approx(c, abs=5e-5), pytest.approx(xi, abs=5e-4))
    assert scales.trainable_depth == pytest.approx(six, abs=0.05)
    kernel = (math.sqrt(1 - scales.c**2) + (math.pi - math.acos(scales.c)) * scales.c) / math.pi
    assert keep * kernel == pytest.approx(scales.c, rel=1e-10)
    assert scales.xi_c == pytest.approx(-1 / math.log(keep * (math.pi - math.acos(scales.c)) / math.pi), rel=1e-10)


def test_a_rate_of_zero_is_the_theory_of_before() -> None:
    for phi, sigma_w2, sigma_b2 in ((tanh(), 1.3, 0.05), (tanh(), 3.0, 0.05), (relu(), 2.0, 0.0), (gelu(), 1.0, 0.1)):
        assert theory.depth_scales(phi, sigma_w2, sigma_b2, keep=1.0) == theory.depth_scales(phi, sigma_w2, sigma_b2)
        little = theory.depth_scales(phi, sigma_w2, sigma_b2, keep=1 - 1e-9)
        assert little.chi_1 == pytest.approx(theory.depth_scales(phi, sigma_w2, sigma_b2).chi_1, rel=1e-6)


def test_where_lengths_die_correlations_do_what_the_slopes_at_zero_say() -> None:
    """φ is linear in small z: c → pc, and c* = 0; ReLU knows no scale, and has its critical c* at any."""
    for phi in (tanh(), elu()):
        scales = theory.depth_scales(phi, 0.5, 0.0, keep=0.9)
        assert (scales.q, scales.c) == (0.0, pytest.approx(0.0, abs=1e-7))
        assert scales.chi_c == pytest.approx(0.9, rel=1e-6)
    assert theory.depth_scales(relu(), 0.5, 0.0, keep=0.9).c == pytest.approx(0.6271, abs=5e-5)


def test_fluctuations_of_dropped_relu() -> None:
    """κ = 6/p − 1 (Hanin & Nica 2018, extended): n = 100 and p = .5 have 11/100 a layer."""
    for keep in (1.0, 0.8, 0.5):
        assert float(theory.kappa(relu(), np.ones(1), keep=keep)[0]) == pytest.approx(6 / keep - 1, rel=1e-12)
    _, variance = theory.log_spread(relu(), (100,) * 19, [1.0] * 19, keep=0.5)
    assert variance[0] == pytest.approx(2.09, abs=5e-3)
    assert theory.length_spread(relu(), (100,) * 19, [1.0] * 19, keep=0.5) == pytest.approx(variance[0] - variance[-1], rel=1e-9)


@pytest.mark.parametrize(
    ("phi", "initializer", "independent"),
    [(relu(), he(math.sqrt(0.7)), True), (identity(), orthogonal(math.sqrt(0.7)), False)],
    ids=["relu", "identity-orthogonal"],
)
def test_the_walk_of_products_with_masks(phi: Activation, initializer: Initializer, independent: bool) -> None:
    """600 nets of width 100 and depth 3; a sampled variance strays by 6 %, orders beyond 1/n add about κ/n = 8 %."""
    n, depth, nets, keep = 100, 3, 600, 0.7
    generator, logs = np.random.default_rng(7), np.zeros(600)
    for i in range(nets):
        delta = generator.standard_normal(n)
        start = delta @ delta
        for _ in range(depth):
            gates = phi.prime(generator.standard_normal(n)) * (generator.random(n) < keep) / keep
            delta = (initializer.draw(generator, n, n).T @ delta) * gates
        logs[i] = np.log(delta @ delta / start)
    _, variance = theory.log_spread(phi, (n,) * depth, [1.0] * depth, independent, keep)
    assert logs.var() == pytest.approx(variance[0], rel=0.2)
    assert logs.var() > 1.2 * theory.log_spread(phi, (n,) * depth, [1.0] * depth, independent)[1][0]


def test_a_layer_is_dead_more_often() -> None:
    """Units are active with probability p/2: a layer of 3 is dead with probability .75³ at p = ½."""
    assert theory.dead_layer_probability((3,), 0.5) == pytest.approx(0.75**3, rel=1e-12)
    assert theory.dead_layer_probability((3, 5)) == pytest.approx(1 - (1 - 2**-3) * (1 - 2**-5), rel=1e-12)


SEEDS = 12
NETS = [
    (phi, normalization, init)
    for phi in (relu(), tanh(), sigmoid())
    for normalization, init in (
        ("none", fan_in(1.1, bias_std=0.2)),
        ("batch", fan_in(0.8)),
        ("layer", fan_in(0.9)),
        ("rms-after", fan_in(1.1)),
    )
]


@pytest.mark.parametrize(("width", "rtol"), [(100, 0.15), (300, 0.07)])
@pytest.mark.parametrize(("phi", "normalization", "init"), NETS, ids=lambda value: getattr(value, "name", value))
def test_nets_of_finite_width_come_to_the_predicted_factors(
    phi: Activation, normalization: str, init: Initializer, width: int, rtol: float
) -> None:
    """Root mean square over 12 seeds, p = .6, batches of 16 and errors that know nothing of the weights: closer in wider nets."""
    keep, sizes = 0.6, (60, *(width,) * 4, 60)
    kind = NORMALIZATIONS[normalization](eps=1e-5) if normalization != "none" else NORMALIZATIONS["none"]()
    network = Network(sizes, phi, identity(), LOSSES["mse"](), kind, dropout=Dropout(1 - keep))
    generator = np.random.default_rng(3)
    x, y = generator.standard_normal((1, 60, 16)), 1e4 * generator.standard_normal((1, 60, 16))
    measured = _factors(network, init, x, y)
    np.testing.assert_allclose(measured, _predicted(network, init, x[0], keep), rtol=rtol)
    if normalization in ("none", "rms-after"):  # elsewhere a rate changes little
        assert np.abs(_predicted(network, init, x[0], 1.0) / measured - 1).max() > rtol


def _predicted(network: Network, init: Initializer, x: Array, keep: float) -> Array:
    """Return what theory says of a net under dropout that keeps so much."""
    phi, kind, sizes, m = network.hidden[0], network.normalization, network.sizes, x.shape[1]
    given, squares = (init.variance, init.bias_std_at), (x**2).sum(axis=0)
    if isinstance(kind, PerExample):
        return theory.example_norm_factors(phi, sizes, *given, squares, kind.eps, kind.centered, kind.after, keep)[0]
    if not kind.active:
        return theory.propagate(phi, sizes, *given, squares, keep).factors
    centered = x - x.mean(axis=1, keepdims=True)
    first = theory.first_layer(np.linalg.eigvalsh(centered.T @ centered / m).clip(0), len(x))
    return theory.batch_norm_factors(phi, sizes, [init.variance(n, k) for n, k in itertools.pairwise(sizes)], m, 1e-5, first, keep)


def _factors(network: Network, init: Initializer, x: Array, y: Array) -> Array:
    """Return ‖δ^l‖/‖δ^(l+1)‖ in root mean square over seeds."""
    params = mlp.initialize(network, [init] * SEEDS, list(range(SEEDS)), "float64")
    masks = Masks(network.dropout, network.sizes, list(range(SEEDS)), x.shape[-1], "float64")(np.zeros(SEEDS, dtype=int))
    delta, _ = mlp.backward(network, params, mlp.forward(network, params, x, masks=masks), y, np.zeros((1, 1, 1)))
    delta[0] = mlp.input_gradient(params, delta)
    squares = np.array([(delta_norm(delta[l]) ** 2).mean() for l in range(len(network.sizes))])
    return np.asarray(np.sqrt(squares[:-1] / squares[1:]))


@pytest.mark.parametrize("keep", [0.9, 0.5])
def test_two_passes_of_one_input_forget_each_other(keep: float) -> None:
    """Ten seeds, 12 layers of 200 critical ReLU units: the correlation of z under two masks is c* at the end."""
    network = Network((200,) * 14, relu(), identity(), LOSSES["mse"](), NORMALIZATIONS["none"](), dropout=Dropout(1 - keep))
    params = mlp.initialize(network, [fan_in(math.sqrt(2 * keep))] * 10, list(range(10)), "float64")
    x = np.repeat(np.random.default_rng(1).standard_normal((1, 200, 1)), 2, axis=2)
    masks = Masks(network.dropout, network.sizes, list(range(10)), 2, "float64")(np.zeros(10, dtype=int))
    z = mlp.forward(network, params, x, masks=masks).z[13]
    products = np.einsum("rni,rnj->ij", z, z)  # the mean over seeds of the covariance, as the map has it
    found = products[0, 1] / math.sqrt(products[0, 0] * products[1, 1])
    assert found == pytest.approx(theory.depth_scales(relu(), 2 * keep, 0.0, keep=keep).c, abs=0.06)
    whole = mlp.forward(replace(network, dropout=Dropout()), params, x).z[13]
    np.testing.assert_array_equal(whole[..., 0], whole[..., 1])
