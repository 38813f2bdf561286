"""Fixed points: against plain iteration, all of them, and the cases that have none or infinitely many."""

import math

import numpy as np
import pytest
from scipy.special import ndtr

from bpcore import theory
from bpcore.activations import Activation, elu, gelu, identity, leaky_relu, relu, selu, sigmoid, softplus, tanh
from tests.bpcore.cases import ACTIVATIONS


def iterated(phi: Activation, sigma_w2: float, sigma_b2: float, q: float = 1.0, layers: int = 3000) -> float:
    for _ in range(layers):
        q = sigma_w2 * theory.second_moment(phi, q) + sigma_b2
        if math.isinf(q):
            break  # it stays so
    return q


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize(("sigma_w2", "sigma_b2"), [(0.8, 0.0), (0.8, 0.3), (1.2, 0.05)])
def test_layers_arrive_at_the_limit(name: str, sigma_w2: float, sigma_b2: float) -> None:
    phi = ACTIVATIONS[name]()
    q = theory.limit(phi, sigma_w2, sigma_b2)
    reached = iterated(phi, sigma_w2, sigma_b2, layers=400)
    if math.isinf(q):
        assert reached > 1e20
    else:
        assert reached == pytest.approx(q, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_slope_is_the_derivative_of_the_length_map(name: str) -> None:
    phi = ACTIVATIONS[name]()
    for q in (0.05, 1.0, 30.0):
        h = 1e-4 * q
        near, far = ((theory.second_moment(phi, q + k * h) - theory.second_moment(phi, q - k * h)) / (2 * k * h) for k in (1, 2))
        difference = (4 * near - far) / 3  # to the fourth order, since e^(2q) bends
        assert theory.length_slope(phi, q, 1.7) == pytest.approx(1.7 * difference, rel=1e-8)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_closed_forms_agree_with_quadrature(name: str) -> None:
    """Where φ is piecewise linear the maps take a closed form; quadrature must say the same."""
    phi = ACTIVATIONS[name]()
    if theory.slopes(phi) is None:
        assert name not in ("relu", "leaky_relu", "identity")
        return
    for q in (1e-6, 1.0, 1e6):
        value = theory.scaled_means(lambda u: phi.value(u) ** 2, np.array(q), phi.kinks)
        prime = theory.scaled_means(lambda u: phi.prime(u) ** 2, np.array(q), phi.kinks)
        assert theory.second_moment(phi, q) == pytest.approx(float(value), rel=1e-12)
        assert theory.chi(phi, q, 1.0) == pytest.approx(float(prime), rel=1e-12)


@pytest.mark.parametrize("q", [1e-3, 0.5, 1.0, 9.0])
def test_elu_and_gelu_against_their_closed_forms(q: float) -> None:
    """E over z < 0 of e^(kz) is e^(k²q/2) Φ(−k√q); GELU's E[φ′²] at small q is ¼ + q/(2π)·…, here by a plain sum."""
    root = math.sqrt(q)
    left = [math.exp(k * k * q / 2) * float(ndtr(-k * root)) for k in (0, 1, 2)]
    alpha = 0.7
    assert theory.second_moment(elu(alpha), q) == pytest.approx(q / 2 + alpha**2 * (left[2] - 2 * left[1] + left[0]), rel=1e-11)
    assert theory.chi(elu(alpha), q, 1.0) == pytest.approx(0.5 + alpha**2 * left[2], rel=1e-12)
    z = np.arange(-12, 12, 1e-3)
    plain = (gelu().prime(root * z) ** 2 * np.exp(-z * z / 2)).sum() * 1e-3 / math.sqrt(2 * math.pi)
    assert theory.chi(gelu(), q, 1.0) == pytest.approx(plain, rel=1e-12)


def test_linear_networks() -> None:
    (point,) = theory.fixed_points(relu(), 1.0, 0.3)
    assert point.q == pytest.approx(0.6, rel=1e-15)
    assert point.stability == "stable"
    assert theory.limit(relu(), 1.9, 0.1) == pytest.approx(0.1 / (1 - 0.95), rel=1e-12)
    (every,) = theory.fixed_points(relu(), 2.0, 0.0)
    assert math.isnan(every.q)
    assert every.stability == "marginal"
    assert theory.fixed_points(relu(), 2.0, 0.1) == ()
    assert theory.fixed_points(relu(), 2.1, 0.1) == ()
    assert theory.limit(relu(), 2.1, 0.0) == math.inf
    assert theory.limit(identity(), 1.0, 0.0, q1=0.37) == 0.37
    assert theory.slopes(leaky_relu(0.2)) == pytest.approx((0.2, 1.0), rel=1e-15)
    assert theory.slopes(tanh()) is None


def test_there_may_be_none_one_or_several() -> None:
    assert theory.fixed_points(softplus(), 2.5, 0.0) == ()
    stabilities = [point.stability for point in theory.fixed_points(tanh(), 2.0, 0.0)]
    assert stabilities == ["unstable", "stable"]
    zero, other = theory.fixed_points(gelu(), 2.1, 0.0)
    assert (zero.q, zero.stability, other.stability) == (0.0, "stable", "unstable")
    assert theory.limit(gelu(), 2.1, 0.0, q1=0.99 * other.q) == 0.0
    assert theory.limit(gelu(), 2.1, 0.0, q1=1.01 * other.q) == math.inf
    assert theory.fixed_points(tanh(), 0.0, 0.3)[0].q == 0.3


@pytest.mark.parametrize("sigma_w2", [0.5, 1.0])
def test_tanh_without_biases_falls_to_zero(sigma_w2: float) -> None:
    assert theory.limit(tanh(), sigma_w2, 0.0) == 0.0


def test_nielsens_sigmoid_network() -> None:
    """Nielsen, ch. 5: W ~ N(0, 1/n), b ~ N(0, 1): q* = 1.302, √χ = .2048."""
    (point,) = theory.fixed_points(sigmoid(), 1.0, 1.0)
    assert point.q == pytest.approx(1.302, abs=5e-4)
    assert math.sqrt(theory.chi(sigmoid(), point.q, 1.0)) == pytest.approx(0.2048, abs=5e-5)


def test_selus_fixed_point_and_its_jacobian() -> None:
    """Klambauer 2017, theorem 1: (0, 1) is fixed, Jacobian [[0, .0888], [0, .7826]]."""
    assert theory.moment_map(selu(), 0.0, 1.0) == pytest.approx((0.0, 1.0), abs=1e-14)
    np.testing.assert_allclose(theory.moment_jacobian(selu(), 0.0, 1.0), [[0, 0.0888], [0, 0.7826]], atol=5e-5)


@pytest.mark.parametrize("phi", [selu(), gelu(), tanh()], ids=lambda phi: phi.name)
def test_the_jacobian_is_the_derivative_of_the_moment_map(phi: Activation) -> None:
    at, h = (0.3, 1.4, 0.5, 0.8), 1e-6
    columns = []
    for i in (0, 1):
        up, down = list(at), list(at)
        up[i] += h
        down[i] -= h
        higher, lower = theory.moment_map(phi, *up), theory.moment_map(phi, *down)
        columns.append([(a - b) / (2 * h) for a, b in zip(higher, lower, strict=True)])
    np.testing.assert_allclose(theory.moment_jacobian(phi, *at), np.transpose(columns), rtol=1e-7)
