"""Singular values of deep Jacobians: published digits, and products of real matrices."""

import numpy as np
import pytest

from bpcore import theory
from bpcore.activations import identity, relu, tanh


def test_published_edges() -> None:
    assert [theory.gaussian_product_edge(depth) for depth in (1, 2, 4)] == pytest.approx([4, 6.75, 12.207], abs=5e-4)


@pytest.mark.parametrize(("q", "spread", "digits"), [(0.05, 0.01332, 5e-6), (0.0123, 0.00108, 5e-6)])
def test_published_spreads_of_orthogonal_tanh(q: float, spread: float, digits: float) -> None:
    assert theory.jacobian_spread(tanh(), q, 1, orthogonal=True) == pytest.approx(spread, abs=digits)


def test_piecewise_linear_spreads() -> None:
    assert theory.jacobian_spread(relu(), 1.0, 8, orthogonal=False) == pytest.approx(16, rel=1e-12)
    assert theory.jacobian_spread(relu(), 1.0, 8, orthogonal=True) == pytest.approx(8, rel=1e-12)
    assert theory.jacobian_spread(identity(), 1.0, 4, orthogonal=False) == pytest.approx(4, rel=1e-12)
    assert theory.jacobian_spread(identity(), 1.0, 4, orthogonal=True) == pytest.approx(0, abs=1e-12)


def test_a_product_of_gaussian_matrices() -> None:
    n, depth = 300, 3
    rng = np.random.default_rng(0)
    product = np.eye(n)
    for _ in range(depth):
        product = rng.standard_normal((n, n)) / np.sqrt(n) @ product
    squares = np.linalg.svd(product, compute_uv=False) ** 2
    assert squares.var() / squares.mean() ** 2 == pytest.approx(theory.jacobian_spread(identity(), 1.0, depth, orthogonal=False), rel=0.1)
    assert squares.max() == pytest.approx(theory.gaussian_product_edge(depth), rel=0.1)
