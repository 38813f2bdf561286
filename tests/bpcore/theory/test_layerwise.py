"""Mean-field predictions: closed forms, published fixed points, and a wide network's measurement."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from bpcore import mlp, theory
from bpcore.activations import Activation, exponential, gelu, identity, leaky_relu, relu, selu, sigmoid, tanh
from bpcore.initializers import Initializer, fan_in, glorot_standard, he, orthogonal, xavier
from bpcore.network import Network
from tests.bpcore.cases import ACTIVATIONS, LOSSES, NORMALIZATIONS, delta_norm
from tests.oracles import Array, catalogue


def test_gaussian_moments() -> None:
    for power, moment in {0: 1, 1: 0, 2: 1, 4: 3, 6: 15}.items():
        assert theory.gaussian_mean(lambda z, power=power: z**power) == pytest.approx(moment, abs=1e-13)


def test_quadrature_splits_at_a_jump() -> None:
    """The probability of Z > ½ is .30853753872598690 (mpmath)."""
    assert theory.gaussian_mean(lambda z: (z > 0.5) * 1.0, (0.5,)) == pytest.approx(0.30853753872598690, rel=1e-14)


@pytest.mark.parametrize("q", [1e-3, 1.0, 50.0])
@pytest.mark.parametrize("sigma_w2", [0.5, 2.0])
def test_chi_closed_forms(q: float, sigma_w2: float) -> None:
    assert theory.chi(relu(), q, sigma_w2) == pytest.approx(sigma_w2 / 2, rel=1e-13)
    assert theory.chi(leaky_relu(0.2), q, sigma_w2) == pytest.approx(sigma_w2 * (1 + 0.2**2) / 2, rel=1e-13)
    assert theory.chi(identity(), q, sigma_w2) == pytest.approx(sigma_w2, rel=1e-13)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("q", [1e-4, 0.3, 4.0, 400.0, 1e6])
def test_expectations_agree_with_panels_on_the_scale_of_phi(name: str, q: float) -> None:
    phi = ACTIVATIONS[name]()

    def by_quadrature(function: Callable[[Array], Array]) -> float:
        """Integrate over u = √q z in pieces that are short where φ bends."""
        reach = 38 * np.sqrt(q)
        right = np.concatenate([[0], np.geomspace(1e-3, reach, 80)])
        edges = np.unique(np.concatenate([-right, right, phi.kinks]))
        half = np.diff(edges)[:, None] / 2
        nodes, weights = np.polynomial.legendre.leggauss(20)
        u = edges[:-1, None] + half * (1 + nodes)
        with np.errstate(over="ignore"):  # of what grows without bound: inf is then the answer of both
            return float((half * weights * function(u) ** 2 * np.exp(-(u**2) / (2 * q)) / np.sqrt(2 * np.pi * q)).sum())

    assert theory.second_moment(phi, q) == pytest.approx(by_quadrature(phi.value), rel=1e-9)
    assert theory.chi(phi, q, 1.0) == pytest.approx(by_quadrature(phi.prime), rel=1e-9)


@pytest.mark.parametrize(("sigma_w2", "chi"), [(1.0, 0.7590), (1.3, 0.8802), (1.761, 1.0000)])
def test_phases_of_tanh(sigma_w2: float, chi: float) -> None:
    """Poole 2016, Schoenholz 2017 at σ_b² = .05; the last is the edge of chaos."""
    q = theory.limit(tanh(), sigma_w2, 0.05)
    assert theory.chi(tanh(), q, sigma_w2) == pytest.approx(chi, abs=6e-5)
    if sigma_w2 == 1.761:
        assert q == pytest.approx(0.5701, abs=2e-4)


def test_layerwise_factors_of_glorots_tanh_network() -> None:
    """Glorot & Bengio 2010: five tanh layers of 1000, U(±1/√n), inputs with ‖x‖²/n₀ = 3."""
    sizes = (1000,) * 6 + (10,)
    net = theory.propagate(tanh(), sizes, glorot_standard().variance, 0.0, 3000.0)
    factors, q = net.factors, net.variances
    assert q[0] == pytest.approx(1, rel=1e-12)
    np.testing.assert_allclose([theory.chi(tanh(), value, 1 / 3) for value in q], [0.155, 0.272, 0.312, 0.326, 0.331], atol=6e-4)
    np.testing.assert_allclose(factors[1:5] ** 2, [0.155, 0.272, 0.312, 0.326], atol=6e-4)


def test_selu_holds_its_variance_and_yet_its_gradients_grow() -> None:
    """Klambauer 2017: (0, 1) is fixed; χ = 1.0716 is what the theorem does not mention."""
    assert theory.second_moment(selu(), 1.0) == pytest.approx(1, abs=1e-12)
    assert theory.chi(selu(), 1.0, 1.0) == pytest.approx(1.0716, abs=5e-5)


def test_at_zero_variance_the_slope_at_zero_decides() -> None:
    for phi in (tanh(), sigmoid(), gelu()):
        assert theory.chi(phi, 0.0, 1.5) == pytest.approx(1.5 * float(phi.prime(np.array(0.0))) ** 2, rel=1e-13)


def test_length_map_takes_unequal_widths() -> None:
    sizes = (30, 70, 20, 5)
    q = theory.propagate(relu(), sizes, xavier().variance, 0.4, 12.0).variances
    first = 2 / 100 * 12 + 0.16
    assert q == pytest.approx([first, 70 * 2 / 90 * first / 2 + 0.16], rel=1e-12)


def test_variances_beyond_range_give_no_number_and_no_warning() -> None:
    factors = theory.propagate(relu(), (10, *(10,) * 40, 3), fan_in(scale=1e10).variance, 0.0, 10.0).factors
    assert factors.shape == (41,)
    assert not np.isfinite(factors).all()


@pytest.mark.parametrize(
    ("phi", "initializer"),
    [(tanh(), fan_in(1.3, bias_std=0.2)), (sigmoid(), fan_in(1.0, bias_std=1.0)), (relu(), he()), (gelu(), he()), (selu(), orthogonal())],
    ids=lambda value: value.name,
)
def test_a_wide_network_has_the_predicted_factors(phi: Activation, initializer: Initializer) -> None:
    """Root mean square over 6 seeds at width 256 comes within some percent.

    The theory takes δ^L to be independent of the weights; targets far larger than the outputs see to it.
    """
    sizes = (100, *(256,) * 4, 100)
    factors, square = simulated(Network(sizes, phi, identity(), LOSSES["mse"](), NORMALIZATIONS["none"]()), initializer, 6)
    predicted = theory.propagate(phi, sizes, initializer.variance, initializer.bias_std, square)
    np.testing.assert_allclose(factors, predicted.factors, rtol=0.06)


def simulated(network: Network, initializer: Initializer, seeds: int) -> tuple[Array, float]:
    """Return ‖δ^l‖/‖δ^(l+1)‖ in root mean square over seeds, and the mean of ‖x‖²."""
    sizes = network.sizes
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((1, sizes[0], 16)), 1e4 * generator.standard_normal((1, sizes[-1], 16))
    params = mlp.initialize(network, [initializer] * seeds, list(range(seeds)), "float64")
    delta, _ = mlp.backward(network, params, mlp.forward(network, params, x), y, np.zeros((1, 1, 1)))
    delta[0] = mlp.input_gradient(params, delta)
    squares = np.array([(delta_norm(delta[l]) ** 2).mean() for l in range(len(sizes))])
    return np.sqrt(squares[:-1] / squares[1:]), float((x**2).sum(axis=-2).mean())


@pytest.mark.parametrize(
    ("phis", "initializer"),
    [((tanh(), relu(), sigmoid(), gelu()), fan_in(1.3, bias_std=0.2)), ((relu(), tanh(), selu(), relu()), xavier())],
)
def test_layers_that_differ_in_width_and_activation_have_their_own_factors(phis: tuple[Activation, ...], initializer: Initializer) -> None:
    sizes = (100, 400, 150, 300, 200, 100)
    network = Network(sizes, phis, identity(), LOSSES["mse"](), NORMALIZATIONS["none"]())
    factors, square = simulated(network, initializer, 6)
    predicted = theory.propagate(phis, sizes, initializer.variance, initializer.bias_std, square).factors
    np.testing.assert_allclose(factors, predicted, rtol=0.06)
    in_another_order = theory.propagate(phis[::-1], sizes, initializer.variance, initializer.bias_std, square).factors
    assert np.abs(in_another_order / factors - 1).max() > 0.2
    with pytest.raises(ValueError, match="3 activations for 4 hidden layers"):
        theory.propagate(phis[1:], sizes, initializer.variance, 0.0, square)


def test_every_initializer_of_the_catalogue_has_a_prediction() -> None:
    for name, factory in catalogue("init").items():
        factors = theory.propagate(tanh(), (10, 20, 20, 5), factory().variance, 0.0, 10.0).factors
        assert factors.shape == (3,), name
        assert np.isfinite(factors).all(), name


def test_moments_of_an_exponential_are_its_closed_forms_until_they_overflow() -> None:
    """E e^(2√q Z) = e^(2q), κ = 3E e^(4√q Z)/e^(4q) − 1 = 3e^(4q) − 1, E e^(u+v) = e^(q(1+c))."""
    phi = exponential()
    for q in (1e-3, 1.0, 20.0):
        assert theory.second_moment(phi, q) == pytest.approx(math.exp(2 * q), rel=1e-12)
        assert float(theory.kappa(phi, np.array(q))) == pytest.approx(3 * math.exp(4 * q) - 1, rel=1e-12)
        assert theory.covariance(phi, q, 0.5) == pytest.approx(math.exp(1.5 * q), rel=1e-11)
    assert theory.second_moment(phi, 80.0) == pytest.approx(math.exp(160), rel=1e-12)
    for q in (100.0, 1e4):  # e^(2u) is above the largest number within the panels, and for the second q its mean is too
        assert theory.second_moment(phi, q) == math.inf
