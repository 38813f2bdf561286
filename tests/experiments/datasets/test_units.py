import numpy as np
import pytest

from experiments.datasets.units import scaled, standardized


def test_rows_get_mean_0_and_variance_1_and_test_examples_are_changed_alike() -> None:
    x = np.random.default_rng(0).normal([[5], [-1e6]], [[3], [1e-3]], (2, 50))
    train, test = standardized(x, x[:, :7])
    np.testing.assert_allclose(train.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(train.std(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(test, train[:, :7])
    assert standardized(x, None)[1] is None


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, 7.0, -1e300])
def test_a_constant_row_becomes_exactly_0(value: float) -> None:
    train, test = standardized(np.full((1, 37), value), np.array([[value]]))
    np.testing.assert_array_equal(train, 0.0)
    np.testing.assert_array_equal(test, 0.0)


def test_what_has_no_finite_variance_is_named() -> None:
    with pytest.raises(ValueError, match="'big' is too large to be standardized"):
        standardized(np.array([[1.0, 2.0], [1e300, -1e300]]), None, ["small", "big"])


def test_features_are_multiplied() -> None:
    x = np.array([[1.0, 2.0]])
    train, test = scaled(x, x, -0.5)
    np.testing.assert_array_equal(train, [[-0.5, -1]])
    np.testing.assert_array_equal(test, train)
    assert scaled(x, None, 1.0)[0] is x


@pytest.mark.parametrize("scale", [0.0, np.inf, np.nan, 1e308])
def test_a_scale_that_leaves_no_finite_features_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="`scale` must "):
        scaled(np.array([[10.0, 20.0]]), None, scale)
