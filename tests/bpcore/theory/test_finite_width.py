"""Finite width: Hanin and Nica's numbers, and the random walk of real products of matrices."""

import numpy as np
import pytest

from bpcore import theory
from bpcore.activations import Activation, gelu, identity, leaky_relu, relu, tanh
from bpcore.initializers import Initializer, fan_in, he, orthogonal


def test_kappas() -> None:
    one = np.ones(1)
    assert theory.kappa(relu(), one) == pytest.approx(5, rel=1e-13)
    assert theory.kappa(identity(), one) == pytest.approx(2, rel=1e-13)
    assert theory.kappa(relu(), one, independent=False) == pytest.approx(3, rel=1e-13)
    assert theory.kappa(identity(), one, independent=False) == pytest.approx(0, abs=1e-13)
    assert theory.kappa(leaky_relu(0.0), one) == pytest.approx(5, rel=1e-13)
    assert float(theory.kappa(tanh(), np.array([1e-9]))[0]) == pytest.approx(2, rel=1e-6)


def test_gates_that_are_all_but_equal_have_no_negative_variance() -> None:
    q = np.geomspace(1e-40, 1e-8, 200)
    found = theory.kappa(gelu(), q, independent=False)
    assert (found >= 0).all()
    assert (found < 1e-6).all()
    assert np.isnan(theory.kappa(gelu(), np.array([np.inf]), independent=False)).all()


def test_hanins_network() -> None:
    """Hanin & Nica 2018: width 100, 20 ReLU layers: mean −.50, variance 1.00."""
    bias, variance = theory.log_spread(relu(), (100,) * 20, [1.0] * 20)
    assert (bias[0], variance[0]) == pytest.approx((-0.50, 1.00), abs=5e-3)
    assert (np.diff(variance) < 0).all()
    assert variance[-1] == pytest.approx(0.05, rel=1e-12)


@pytest.mark.parametrize(
    ("phi", "initializer", "independent"),
    [(relu(), he(), True), (identity(), fan_in(), True), (relu(), orthogonal(np.sqrt(2)), False), (identity(), orthogonal(), False)],
    ids=["relu", "identity", "relu-orthogonal", "identity-orthogonal"],
)
def test_the_walk_of_matrix_products(phi: Activation, initializer: Initializer, independent: bool) -> None:
    """600 nets of width 30 and depth 5, gates drawn with the signs of independent normals."""
    generator = np.random.default_rng(7)
    n, depth, nets = 30, 5, 600
    logs = np.zeros(nets)
    for i in range(nets):
        delta = generator.standard_normal(n)
        start = delta @ delta
        for _ in range(depth):
            gates = phi.prime(generator.standard_normal(n))
            delta = (initializer.draw(generator, n, n).T @ delta) * gates
        logs[i] = np.log(delta @ delta / start)
    bias, variance = theory.log_spread(phi, (n,) * depth, [1.0] * depth, independent)
    assert logs.mean() == pytest.approx(bias[0], abs=4 * logs.std() / np.sqrt(nets) + 0.02)
    # a sampled variance strays by √(2/600) = 6 %; orders beyond 1/n add about κ/n = 17 %
    assert logs.var() == pytest.approx(variance[0], rel=0.25, abs=1e-12)


def test_the_lengths_add_nothing_where_the_slope_does_not_see_them() -> None:
    """χ of a homogeneous φ is the same at every length, so that only the walk is left."""
    for phi in (relu(), identity(), leaky_relu(0.1)):
        _, variance = theory.log_spread(phi, (40,) * 6, [1.0] * 6)
        assert theory.length_spread(phi, (40,) * 6, [1.0] * 6) == pytest.approx(variance[0] - variance[-1], rel=1e-9)
    assert theory.length_spread(relu(), (40,), [1.0]) == 0


def test_lengths_widen_the_walk_and_where_they_run_away_nothing_is_said() -> None:
    _, variance = theory.log_spread(tanh(), (100,) * 10, [0.5] * 10, independent=False)
    assert theory.length_spread(tanh(), (100,) * 10, [0.5] * 10, independent=False) > variance[0] - variance[-1]
    assert np.isnan(theory.length_spread(tanh(), (30,) * 5, [900.0] * 5))  # κ/n = 9
    assert np.isfinite(theory.length_spread(tanh(), (3000,) * 5, [900.0] * 5))
    assert np.isnan(theory.length_spread(gelu(), (10,) * 30, [1.0] * 30))
