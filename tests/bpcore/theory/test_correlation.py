"""The correlation map and the depth scales: published tables, closed forms, plain Monte Carlo."""

import math

import numpy as np
import pytest

from bpcore import theory
from bpcore.activations import gelu, leaky_relu, relu, selu, sigmoid, tanh
from tests.bpcore.cases import ACTIVATIONS


@pytest.mark.parametrize(
    ("sigma_w2", "published", "phase"),
    [(1.0, 22, "ordered"), (1.3, 47, "ordered"), (1.5, 95, "ordered"), (2.2, 97, "chaotic"), (3.0, 54, "chaotic"), (4.0, 42, "chaotic")],
)
def test_trainable_depths_of_tanh(sigma_w2: float, published: float, phase: str) -> None:
    """Schoenholz 2017 at σ_b² = .05: 6ξ_c, published in whole layers."""
    scales = theory.depth_scales(tanh(), sigma_w2, 0.05)
    assert scales.trainable_depth == pytest.approx(published, abs=0.5)
    assert scales.phase == phase


def test_at_the_edge_every_depth_is_trainable() -> None:
    edge = theory.critical_sigma_w(tanh(), 0.05)
    scales = theory.depth_scales(tanh(), edge**2, 0.05)
    assert scales.trainable_depth == scales.xi_grad == math.inf
    assert scales.phase == "critical"
    assert theory.depth_scales(tanh(), 1.761, 0.05).trainable_depth > 1e5


def test_in_the_ordered_phase_both_scales_agree_and_in_the_chaotic_not() -> None:
    ordered, chaotic = (theory.depth_scales(tanh(), sigma_w2, 0.05) for sigma_w2 in (1.3, 3.0))
    assert ordered.xi_c == ordered.xi_grad
    assert ordered.c == 1
    assert chaotic.c < 1 < chaotic.chi_1
    assert chaotic.chi_c < 1
    assert chaotic.xi_c != pytest.approx(chaotic.xi_grad, rel=0.2)


@pytest.mark.parametrize("phi", [relu(), leaky_relu(0.3)], ids=lambda phi: phi.name)
@pytest.mark.parametrize("c", [-0.9, -0.2, 0.0, 0.5, 0.99, 1.0])
def test_arc_cosine_kernels_agree_with_quadrature(phi, c: float) -> None:
    assert theory.covariance(phi, 2.3, c) == pytest.approx(theory.paired_mean(phi.value, 2.3, c, phi.kinks), rel=1e-10, abs=1e-14)
    slope = theory.paired_mean(phi.prime, 2.3, c, phi.kinks)
    assert theory.correlation_slope(phi, 2.3, c, 1.0) == pytest.approx(slope, rel=1e-10, abs=1e-14)


def test_relus_kernel_as_published() -> None:
    """J(c) = [√(1−c²) + (π − arccos c) c]/π at σ_w² = 2."""
    for c in (-0.5, 0.0, 0.3, 0.8):
        expected = (math.sqrt(1 - c * c) + (math.pi - math.acos(c)) * c) / math.pi
        assert theory.correlation_map(relu(), 1.7, c, 2.0, 0.0) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("c", [-0.4, 0.0, 0.7, 0.9999])
def test_the_slope_is_the_derivative_of_the_correlation_map(name: str, c: float) -> None:
    phi, h = ACTIVATIONS[name](), 1e-4 * (1 - abs(c))
    difference = (theory.covariance(phi, 1.3, c + h) - theory.covariance(phi, 1.3, c - h)) / (2 * h)
    # χ(c) is the derivative of σ_w² E[φφ]/q by c (Price's theorem); central differences leave about h² of its curvature
    assert theory.correlation_slope(phi, 1.3, c, 1.0) == pytest.approx(difference / 1.3, rel=3e-7)


@pytest.mark.parametrize("phi", [tanh(), gelu(), selu(), sigmoid()], ids=lambda phi: phi.name)
def test_at_c_of_1_the_length_map_and_chi_return(phi) -> None:
    assert theory.covariance(phi, 0.8, 1.0) == pytest.approx(theory.second_moment(phi, 0.8), rel=1e-12)
    assert theory.correlation_slope(phi, 0.8, 1.0, 1.0) == pytest.approx(theory.chi(phi, 0.8, 1.0), rel=1e-12)
    near = theory.correlation_slope(phi, 0.8, 1 - 1e-10, 1.0)
    assert near == pytest.approx(theory.chi(phi, 0.8, 1.0), rel=1e-4)


def test_correlations_against_monte_carlo() -> None:
    z = np.random.default_rng(1).standard_normal((2, 10**6))
    u, v = np.sqrt(1.3) * z[0], np.sqrt(1.3) * (0.6 * z[0] + 0.8 * z[1])
    products = selu().value(u) * selu().value(v)
    assert theory.covariance(selu(), 1.3, 0.6) == pytest.approx(products.mean(), abs=4 * products.std() / 1000)


def test_relus_correlation_decays_as_a_power_of_depth() -> None:
    """Hayou 2019: 1 − c^l → 9π²/(2l²); approached like ln l / l, .97 at a thousand layers."""
    path = theory.correlations(relu(), 1.0, 0.0, 2.0, 0.0, 4000)
    ratio = [(1 - path[l]) * 2 * l * l / (9 * math.pi**2) for l in (250, 1000, 4000)]
    assert ratio[1] == pytest.approx(0.972, abs=0.002)
    assert ratio[0] < ratio[1] < ratio[2] < 1
    assert 1 - path[2000] != pytest.approx((1 - path[1000]) ** 2, rel=0.9)  # geometric decay it is not


def test_there_are_no_scales_where_the_variance_grows_without_bound() -> None:
    for phi in (relu(), gelu()):
        scales = theory.depth_scales(phi, 3.0, 0.1)
        assert scales.phase == "unbounded"
        assert math.isinf(scales.q)
        assert math.isnan(scales.xi_c)
        assert scales.chi_1 == 1.5  # half the units at slope 1, half at 0


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_far_out_chi_is_that_of_the_slopes_that_an_activation_declares(name: str) -> None:
    phi = ACTIVATIONS[name]()
    expected = (phi.slopes[0] ** 2 + phi.slopes[1] ** 2) / 2
    assert theory.chi(phi, 1e16, 1.0) == pytest.approx(expected, rel=1e-7, abs=1e-7)
