"""Instruments, on arrays small enough to count by hand."""

import numpy as np
import pytest

from bpcore.activations import exponential, identity, relu, sigmoid, softplus
from bpcore.measure import instruments


def test_moments_go_over_units_and_examples_in_float64() -> None:
    x = (1e4 + np.random.default_rng(0).standard_normal((2, 50, 60))).astype(np.float32)
    for measured, exact in (
        (instruments.mean(x), x.astype(float).mean(axis=(1, 2))),
        (instruments.variance(x), x.astype(float).var(axis=(1, 2))),
    ):
        assert measured.dtype == np.float64
        np.testing.assert_allclose(measured, exact, rtol=1e-6)


def test_saturated_counts_slopes_below_five_percent_of_the_largest() -> None:
    edge = np.log((1 + np.sqrt(0.95)) / (1 - np.sqrt(0.95)))  # σ′(z) = ¼·.05
    h = np.array([[[0.0, edge - 1e-6, edge + 1e-6, -edge - 1e-6]], [[0.0, 0.0, 0.0, 50.0]]])
    np.testing.assert_array_equal(instruments.saturated(h, sigmoid()), [0.5, 0.25])
    np.testing.assert_array_equal(instruments.saturated(h, relu()), [0.5, 0.75])
    np.testing.assert_array_equal(instruments.saturated(h, identity()), [0.0, 0.0])
    np.testing.assert_array_equal(instruments.saturated(-h, softplus()), [0.5, 0.25])


def test_saturation_of_a_lost_run_is_not_a_number() -> None:
    assert np.isnan(instruments.saturated(np.array([[[np.nan, 0.0]]]), sigmoid())).all()
    assert np.isnan(instruments.saturated(np.array([[[np.inf, 0.0]]]), sigmoid())).all()


def test_where_the_slope_has_no_bound_nothing_is_saturated_and_nothing_is_not() -> None:
    assert np.isnan(instruments.saturated(np.array([[[-50.0, 0.0]], [[1.0, 2.0]]]), exponential())).all()


def test_dead_units_are_zero_on_every_example() -> None:
    a = np.array([[[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, -0.0]]])
    assert instruments.dead(a).tolist() == [0.5]


def test_zero_counts_entries() -> None:
    assert instruments.zero(np.array([[[0.0, 5e-324], [-0.0, 1.0]]])).tolist() == [0.5]


def test_effective_rank_counts_directions_by_their_weight() -> None:
    a = np.stack([np.outer([1, 2, 3], [1, -1, 4, 0]), np.eye(3, 4), np.diag([3.0, 1.0, 0.0]) @ np.eye(3, 4)])
    np.testing.assert_allclose(instruments.effective_rank(a), [1, 3, (9 + 1) ** 2 / (81 + 1)], rtol=1e-14)
    np.testing.assert_allclose(instruments.effective_rank(np.ascontiguousarray(a.mT)), instruments.effective_rank(a), rtol=1e-14)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_effective_rank_is_of_the_singular_values_at_any_scale(scale: float) -> None:
    a = scale * np.random.default_rng(0).standard_normal((2, 5, 9))
    s = np.linalg.svd(a / scale, compute_uv=False)
    np.testing.assert_allclose(instruments.effective_rank(a), (s**2).sum(axis=-1) ** 2 / (s**4).sum(axis=-1), rtol=1e-12)


def test_effective_rank_of_nothing_is_not_a_number() -> None:
    assert np.isnan(instruments.effective_rank(np.array([np.zeros((2, 3)), np.full((2, 3), np.inf)]))).all()


def test_equal_units_are_equal_to_the_bit() -> None:
    weights, biases = np.ones((3, 4, 2)), np.zeros((3, 4, 1))
    weights[1, 2, 0] = 1 + 2**-52
    biases[2, 1:] = 1e-300
    np.testing.assert_array_equal(instruments.equal_units(weights, biases), [1.0, 0.75, 0.25])
    assert np.isnan(instruments.equal_units(weights[:, :1], biases[:, :1])).all()
