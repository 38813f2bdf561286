"""Norms that neither overflow nor underflow while the entries do not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpcore.norms import combine, norm


@pytest.mark.parametrize(
    ("entry", "dtype"),
    [(1e-200, np.float64), (1e200, np.float64), (1e-300, np.float64), (1e-30, np.float32), (1e30, np.float32), (1e-42, np.float32)],
)
def test_extreme_entries_have_a_norm_of_their_own_order(entry: float, dtype: type) -> None:
    x = np.full((1, 3, 4), entry, dtype=dtype)
    np.testing.assert_allclose(norm(x), [np.float64(x[0, 0, 0]) * np.sqrt(12)], rtol=1e-7 if dtype is np.float32 else 1e-15)


def test_a_mixture_of_scales_loses_nothing() -> None:
    x = np.array([[[3e-170, 4e-170, 1e-200]], [[3e160, 4e160, 1.0]], [[3.0, 4.0, 1e-300]]])
    np.testing.assert_allclose(norm(x), [5e-170, 5e160, 5.0], rtol=1e-15)


def test_smallest_number_of_all() -> None:
    x = np.full((1, 1, 4), 5e-324)
    assert norm(x) == 1e-323


def test_special_values_per_run() -> None:
    x = np.zeros((4, 2, 2))
    x[1, 0, 1], x[2, 1, 0], x[3] = np.nan, -np.inf, 1.0
    result = norm(x)
    assert result[0] == 0
    assert np.isnan(result[1])
    assert result[2] == np.inf
    assert result[3] == 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(5, 7), (1, 5, 7), (3, 5, 7), (2, 3, 5, 7), (3, 5, 1), (3, 1, 7)])
def test_elsewhere_it_is_the_frobenius_norm(dtype: type, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    result = norm(x)
    assert result.dtype == np.float64
    assert result.shape == shape[:-2]
    np.testing.assert_allclose(result, np.linalg.norm(x.astype(np.float64), axis=(-2, -1)), rtol=1e-6 if dtype is np.float32 else 1e-14)


def test_memory_order_does_not_matter_for_the_value() -> None:
    x = np.random.default_rng(0).standard_normal((3, 5, 7))
    np.testing.assert_array_equal(norm(x), norm(np.ascontiguousarray(x.mT).mT))


@settings(deadline=None, max_examples=60, derandomize=True)
@given(exponent=st.integers(-1000, 1000), seed=st.integers(0, 5))
def test_norm_scales_with_powers_of_two(exponent: int, seed: int) -> None:
    x = np.random.default_rng(seed).uniform(0.5, 1, (1, 3, 4))
    np.testing.assert_allclose(norm(np.ldexp(x, exponent)), np.ldexp(norm(x), exponent), rtol=1e-15)


def test_a_norm_does_not_look_at_its_neighbors() -> None:
    x = np.random.default_rng(0).standard_normal((3, 4, 5))
    beside = x.copy()
    beside[0] *= 1e200
    beside[2] = np.nan
    assert norm(beside)[1] == norm(x[1:2])[0]


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_combine_is_the_norm_of_everything(scale: float) -> None:
    parts = [scale * np.random.default_rng(k).standard_normal((2, 3, k + 1)) for k in range(4)]
    together = np.concatenate(parts, axis=-1) / scale
    np.testing.assert_allclose(combine([norm(part) for part in parts]), scale * np.linalg.norm(together, axis=(-2, -1)), rtol=1e-14)


def test_combine_of_special_values() -> None:
    one, other = np.array([0.0, np.nan, np.inf, 3.0]), np.array([0.0, 1.0, 1.0, 4.0])
    result = combine([one, other])
    np.testing.assert_array_equal(result, [0.0, np.nan, np.inf, 5.0])
