import numpy as np
import pytest

from experiments.datasets.units import units_of


def test_rows_get_mean_0_and_variance_1() -> None:
    x = np.random.default_rng(0).normal([[5], [-1e6]], [[3], [1e-3]], (2, 50))
    scaled = units_of(x).apply(x)
    np.testing.assert_allclose(scaled.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(axis=1), 1, rtol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, 7.0, -1e300])
def test_a_constant_row_becomes_exactly_0(value: float) -> None:
    x = np.full((1, 37), value)
    change = units_of(x)
    assert change.constant.tolist() == [True]
    np.testing.assert_array_equal(change.apply(x), 0.0)


def test_what_has_no_finite_variance_is_named() -> None:
    with pytest.raises(ValueError, match="'big' is too large to be standardized"):
        units_of(np.array([[1.0, 2.0], [1e300, -1e300]]), ["small", "big"])
