"""Compiled layers: what they write is what the textbook says, wherever z lies; an activation that nobody wrote one for has none."""

import ctypes
from dataclasses import replace
from functools import partial
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from bpcore import activations
from bpcore.activations import Activation, Bounds
from bpcore.engine.twins import of_activation
from tests.bpcore.cases import ACTIVATIONS
from tests.bpcore.engine.kernels.ulps import CASES

ALL = [
    *(factory() for factory in ACTIVATIONS.values()),
    *(factory(alpha) for factory in (activations.leaky_relu, activations.elu) for alpha in (-0.5, 0.0, 3.0)),
]
every_activation = pytest.mark.parametrize("phi", ALL, ids=lambda phi: f"{phi.name}-{phi.bounds}")
every_dtype = pytest.mark.parametrize("dtype", ["float64", "float32"])


def run(phi: Activation, z: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return z + b, φ and φ′ as a compiled layer writes them."""
    found = of_activation(phi)
    assert found is not None, f"{phi.name} has no compiled formula: write one in bpcore/engine/kernels/formulas.py"
    kernel, parameters = found
    arrays = z.copy(), b.astype(z.dtype), np.empty_like(z), np.empty_like(z), np.array(parameters, z.dtype)
    *pointers, last = (array.ctypes.data for array in arrays)
    pointer = ctypes.c_void_p
    function = ctypes.CFUNCTYPE(None, *4 * (pointer,), ctypes.c_int64, ctypes.c_int64, pointer)(kernel.address(z.dtype.name))
    function(*pointers, *z.shape, last)
    return arrays[0], arrays[2], arrays[3]


def points(dtype: str) -> np.ndarray:
    """Return z all over |z| ≤ 40, in the far tails, next to 0 and at it, (7, n)."""
    far, small = np.geomspace(40, 760, 200), np.geomspace(float(np.finfo(dtype).smallest_subnormal), 1, 200)
    z = np.concatenate([np.linspace(-40, 40, 3201), far, -far, small, -small, [0.0, -0.0]]).astype(dtype)
    return z[: z.size // 7 * 7].reshape(7, -1)


def gelu(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return gelu and its derivative; the textbook in float64 loses z²ε of the tail when it rounds z/√2, and all of it below 1e-308."""
    cdf, density = CASES["Φ, the normal"].exact, CASES["Φ′"].exact
    with mp.workprec(100):
        both = [(x * cdf(x), cdf(x) + x * density(x)) for x in map(mp.mpf, z.ravel().tolist())]
    value, prime = np.array(both, dtype=float).T
    return value.reshape(z.shape), prime.reshape(z.shape)


def gelu_tanh(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the GELU by tanh and its derivative; the textbook in float64 loses as many digits of e^x as x has before the point."""
    with mp.workprec(100):
        linear = mp.sqrt(8 / mp.pi)
        cubic = mp.mpf("0.044715") * linear
        both = []
        for x in map(mp.mpf, z.ravel().tolist()):
            u = x * (linear + cubic * x * x)
            gate, rest = 1 / (1 + mp.exp(-u)), 1 / (1 + mp.exp(u))
            both.append((x * gate, gate + x * gate * rest * (linear + 3 * cubic * x * x)))
    value, prime = np.array(both, dtype=float).T
    return value.reshape(z.shape), prime.reshape(z.shape)


EXACT = {"gelu": gelu, "gelu_tanh": gelu_tanh}


@every_dtype
@every_activation
def test_a_layer_is_what_the_textbook_says(phi: Activation, dtype: str) -> None:
    """To 8 units in the last place, and 2 of the smallest number.

    But: where two terms of φ′ cancel, at one point near −1 each in gelu, silu and their like, it is units of these terms; and z times
    a gate so small that it is not a normal number has |z| units of the smallest one, times the slope in it.
    """
    z = points(dtype)
    eps, tiny = float(np.finfo(dtype).eps), float(np.finfo(dtype).smallest_subnormal)
    _, a, slope = run(phi, z, np.zeros(7))
    exact = z.astype(np.float64)
    with np.errstate(under="ignore"):
        value, prime = EXACT[phi.name](exact) if phi.name in EXACT else (phi.value(exact), phi.prime(exact))
    product = phi.name in ("gelu", "silu", "mish", "gelu_tanh")
    steep = 1.6 + 0.22 * exact**2 if phi.name == "gelu_tanh" else 1  # of the gate's argument
    least = 2 * tiny * (np.maximum(1, np.abs(exact)) * steep if product else 1)
    terms = np.where(product & (np.abs(exact + 1) < 0.5), 1.0, 0.0)
    assert a.dtype == slope.dtype == dtype
    for found, expected, scale in ((a, value, np.abs(value)), (slope, prime, np.maximum(np.abs(prime), terms))):
        with np.errstate(over="ignore"):
            beyond = np.isinf(expected.astype(dtype))  # the exponential's, from somewhere on
        np.testing.assert_array_equal(found[beyond], np.inf)
        assert (np.abs(found[~beyond] - expected[~beyond]) <= (8 * eps * scale + least)[~beyond]).all()


@every_dtype
@every_activation
def test_the_bias_is_added_first_and_kept(phi: Activation, dtype: str) -> None:
    rng = np.random.default_rng(0)
    z, b = rng.standard_normal((5, 9)).astype(dtype), rng.standard_normal(5).astype(dtype)
    shifted, a, slope = run(phi, z, b)
    np.testing.assert_array_equal(shifted, z + b[:, None])
    again = run(phi, shifted, np.zeros(5))
    np.testing.assert_array_equal((a, slope), again[1:])


@every_dtype
@every_activation
def test_at_a_kink_the_slope_is_that_from_the_left(phi: Activation, dtype: str) -> None:
    z = np.array([[0.0, -0.0, *phi.kinks]], dtype)
    _, a, slope = run(phi, z, np.zeros(1))
    np.testing.assert_allclose(a, phi.value(z), rtol=4 * np.finfo(dtype).eps, atol=0)
    np.testing.assert_allclose(slope, phi.prime(z), rtol=4 * np.finfo(dtype).eps, atol=0)


@every_dtype
@every_activation
def test_what_is_not_finite_is_what_the_textbook_makes_of_it(phi: Activation, dtype: str) -> None:
    z = np.array([[np.nan, np.inf, -np.inf]], dtype)
    _, a, slope = run(phi, z, np.zeros(1))
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(a, phi.value(z), rtol=1e-6)
        np.testing.assert_allclose(slope, phi.prime(z), rtol=1e-6)
    assert np.isnan(a[0, 0])


@every_dtype
@every_activation
def test_a_number_does_not_depend_on_its_neighbors(phi: Activation, dtype: str) -> None:
    """A layer of many columns holds the bits of layers of one."""
    z = np.random.default_rng(1).uniform(-5, 5, (2, 75)).astype(dtype)
    together = run(phi, z, np.zeros(2))
    for j in range(z.shape[1]):
        alone = run(phi, np.ascontiguousarray(z[:, j : j + 1]), np.zeros(2))
        for whole, part in zip(together, alone, strict=True):
            np.testing.assert_array_equal(whole[:, j : j + 1], part)


def sine(z: Any) -> Any:
    return np.sin(z)


@every_activation
def test_functions_that_somebody_replaced_have_none(phi: Activation) -> None:
    assert of_activation(phi) is not None
    assert of_activation(replace(phi, prime=sine)) is None
    assert of_activation(replace(phi, value=sine)) is None
    assert of_activation(replace(phi, value=partial(sine))) is None
    assert of_activation(replace(phi, name="mine")) == of_activation(phi)


def test_parameters_of_a_value_and_its_derivative_are_the_same_or_there_is_no_twin() -> None:
    one, other = activations.elu(1.0), activations.elu(2.0)
    assert of_activation(replace(one, prime=other.prime)) is None
    found = [of_activation(phi) for phi in (other, activations.leaky_relu(0.3), activations.selu())]
    assert [str(kernel and kernel[0]) for kernel in found] == [
        "formulas.exponential_linear",
        "formulas.two_slopes",
        "formulas.exponential_linear",
    ]
    assert [kernel and kernel[1] for kernel in found[:2]] == [(2.0, 1.0), (0.3, 0.0)]
    assert found[2] is not None
    assert found[2][1] == (1.6732632423543772848, 1.0507009873554804934)


def test_what_an_activation_declares_stands_for_no_formula() -> None:
    mine = Activation("relu", sine, sine, (0.0,), Bounds(0, 1), (0.0, 1.0), homogeneous=True)
    assert of_activation(mine) is None
