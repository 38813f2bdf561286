"""The numerical derivatives, on functions whose gradients are known, and what each cannot do."""

import numpy as np
import pytest

from bpcore.numdiff import central_difference, complex_step


def cubic(x: np.ndarray) -> np.ndarray:
    return (x**3 * np.arange(1, x.size + 1).reshape(x.shape)).sum()


@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 1, 2)])
def test_complex_step_is_exact_to_rounding(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).standard_normal(shape)
    weights = np.arange(1, x.size + 1).reshape(shape)
    np.testing.assert_allclose(complex_step(cubic, x), 3 * x**2 * weights, rtol=1e-15)


def test_complex_step_keeps_relative_precision_of_a_vanishing_derivative() -> None:
    x = np.array([1.3])
    gradient = complex_step(lambda z: (1 + 1e-40 * np.exp(z)).sum(), x)
    np.testing.assert_allclose(gradient, 1e-40 * np.exp(x), rtol=1e-15)


def test_central_difference_has_an_error_of_second_order() -> None:
    x = np.array([0.7, -1.2])
    errors = [np.abs(central_difference(lambda z: np.exp(z).sum(), x, step) - np.exp(x)).max() for step in (1e-2, 1e-3)]
    assert errors[0] / errors[1] == pytest.approx(100, rel=0.01)
    np.testing.assert_allclose(central_difference(cubic, x), complex_step(cubic, x), rtol=1e-8)


def test_central_difference_cannot_see_a_vanishing_derivative() -> None:
    x = np.array([1.3])
    assert central_difference(lambda z: (1 + 1e-40 * np.exp(z)).sum(), x) == 0


@pytest.mark.parametrize("derivative", [complex_step, central_difference])
def test_the_point_is_left_alone(derivative: object) -> None:
    x = np.array([0.5, 2.0])
    derivative(cubic, x)
    assert x.tolist() == [0.5, 2.0]
