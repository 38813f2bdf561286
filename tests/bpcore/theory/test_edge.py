"""The edge of chaos: published points, and that the net there is critical."""

import math

import numpy as np
import pytest

from bpcore import theory
from bpcore.activations import gelu, leaky_relu, relu, selu, tanh
from tests.bpcore.cases import ACTIVATIONS


@pytest.mark.parametrize(
    ("sigma_b2", "sigma_w2"), [(0.0, 1.0), (0.01, 1.4242), (0.05, 1.7610), (0.1, 1.9861), (0.2, 2.2852), (0.5, 2.8432)]
)
def test_edge_of_tanh(sigma_b2: float, sigma_w2: float) -> None:
    """Poole 2016, Schoenholz 2017."""
    (point,) = theory.edge_of_chaos(tanh(), sigma_b2)
    assert point.sigma_w2 == pytest.approx(sigma_w2, abs=5e-5)
    assert theory.critical_sigma_w(tanh(), sigma_b2) == math.sqrt(point.sigma_w2)
    if sigma_b2 == 0.05:
        assert point.q == pytest.approx(0.5701, abs=1e-4)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("sigma_b2", [1e-3, 0.1, 1.0])
def test_on_the_edge_q_is_fixed_and_chi_is_1(name: str, sigma_b2: float) -> None:
    phi = ACTIVATIONS[name]()
    for point in theory.edge_of_chaos(phi, sigma_b2):
        assert point.sigma_w2 * theory.second_moment(phi, point.q) + sigma_b2 == pytest.approx(point.q, rel=1e-10)
        assert theory.chi(phi, point.q, point.sigma_w2) == pytest.approx(1, rel=1e-12)


def test_which_activations_have_an_edge_with_biases() -> None:
    reachable = {name for name, factory in ACTIVATIONS.items() if not math.isnan(theory.critical_sigma_w(factory(), 0.2))}
    assert {"tanh", "elu", "selu", "sigmoid"} <= reachable
    assert not reachable & {"relu", "leaky_relu", "identity", "softplus"}


def test_piecewise_linear_networks_have_a_single_point() -> None:
    """Hayou 2019: (σ_b², σ_w²) = (0, 2) for ReLU, 2/(1 + a²) for leaky ReLU."""
    assert theory.edge_of_chaos(relu(), 0.0)[0].sigma_w2 == 2
    assert theory.edge_of_chaos(leaky_relu(0.5), 0.0)[0].sigma_w2 == pytest.approx(1.6, rel=1e-15)
    assert theory.edge_of_chaos(relu(), 0.1) == ()
    assert math.isnan(theory.critical_sigma_w(relu(), 0.1))


def test_without_biases_smooth_networks_are_critical_where_the_slope_at_0_says_so() -> None:
    assert theory.critical_sigma_w(tanh(), 0.0) == pytest.approx(1, rel=1e-12)
    zero = theory.edge_of_chaos(gelu(), 0.0)[0]  # critical at q = 0, and yet small variances grow away from it
    assert (zero.sigma_w2, zero.stability) == (pytest.approx(4, rel=1e-12), "unstable")
    assert math.isnan(theory.critical_sigma_w(gelu(), 0.0))
    lam2, alpha2 = 1.0507009873554805**2, 1.6732632423543772**2
    assert theory.critical_sigma_w(selu(), 0.0) == pytest.approx(math.sqrt(2 / (lam2 * (1 + alpha2))), rel=1e-12)


def test_the_curve_passes_through_the_points() -> None:
    (point,) = theory.edge_of_chaos(tanh(), 0.3)
    sigma_b2, sigma_w2 = theory.edge_curve(tanh(), np.array([0.1, point.q, 5.0]))
    assert (sigma_b2[1], sigma_w2[1]) == pytest.approx((0.3, point.sigma_w2), rel=1e-10)
    assert (np.diff(sigma_w2) > 0).all()
