"""Compiled layers: what they write is what the textbook says, wherever z lies; an activation that nobody wrote one for has none."""

import ctypes
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import mpmath as mp
import numba
import numpy as np
import pytest

from bpcore import activations
from bpcore.activations import Activation, Bounds
from bpcore.engine import formulas
from bpcore.engine.kernels.formulas import kernel_of, twin_of
from tests import processes
from tests.bpcore.cases import ACTIVATIONS
from tests.bpcore.engine.ulps import CASES

ALL = [
    *(factory() for factory in ACTIVATIONS.values()),
    *(factory(alpha) for factory in (activations.leaky_relu, activations.elu) for alpha in (-0.5, 0.0, 3.0)),
]
every_activation = pytest.mark.parametrize("phi", ALL, ids=lambda phi: f"{phi.name}-{phi.bounds}")
every_dtype = pytest.mark.parametrize("dtype", ["float64", "float32"])
Layer = Callable[[Activation, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layer]:
    """Compile for these tests alone: numba's cache does not see that a function in another file has changed."""
    before, numba.config.CACHE_DIR = numba.config.CACHE_DIR, str(tmp_path_factory.mktemp("kernels"))
    formulas.compiled.cache_clear()

    def layer(phi: Activation, z: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        found = kernel_of(phi, z.dtype.name)
        assert found is not None, f"{phi.name} has no compiled formula: write one in bpcore/engine/formulas.py"
        address, parameters = found
        arrays = z.copy(), b.astype(z.dtype), np.empty_like(z), np.empty_like(z), np.array(parameters, z.dtype)
        *pointers, last = (array.ctypes.data for array in arrays)
        pointer = ctypes.c_void_p
        ctypes.CFUNCTYPE(None, *4 * (pointer,), ctypes.c_int64, ctypes.c_int64, pointer)(address)(*pointers, *z.shape, last)
        return arrays[0], arrays[2], arrays[3]

    yield layer
    formulas.compiled.cache_clear()
    numba.config.CACHE_DIR = before


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


@every_dtype
@every_activation
def test_a_layer_is_what_the_textbook_says(phi: Activation, dtype: str, run: Layer) -> None:
    """To 8 units in the last place, and 2 of the smallest number.

    But: where two terms of φ′ cancel, at one point near −1 each in gelu and silu, it is units of these terms; and z times a probability
    so small that it is not a normal number has |z| units of the smallest one.
    """
    z = points(dtype)
    eps, tiny = float(np.finfo(dtype).eps), float(np.finfo(dtype).smallest_subnormal)
    _, a, slope = run(phi, z, np.zeros(7))
    exact = z.astype(np.float64)
    with np.errstate(under="ignore"):
        value, prime = gelu(exact) if phi.name == "gelu" else (phi.value(exact), phi.prime(exact))
    product = phi.name in ("gelu", "silu")
    least = 2 * tiny * (np.maximum(1, np.abs(exact)) if product else 1)
    terms = np.where(product & (np.abs(exact + 1) < 0.5), 1.0, 0.0)
    assert a.dtype == slope.dtype == dtype
    assert (np.abs(a - value) <= 8 * eps * np.abs(value) + least).all()
    assert (np.abs(slope - prime) <= 8 * eps * np.maximum(np.abs(prime), terms) + least).all()


@every_dtype
@every_activation
def test_the_bias_is_added_first_and_kept(phi: Activation, dtype: str, run: Layer) -> None:
    rng = np.random.default_rng(0)
    z, b = rng.standard_normal((5, 9)).astype(dtype), rng.standard_normal(5).astype(dtype)
    shifted, a, slope = run(phi, z, b)
    np.testing.assert_array_equal(shifted, z + b[:, None])
    again = run(phi, shifted, np.zeros(5))
    np.testing.assert_array_equal((a, slope), again[1:])


@every_dtype
@every_activation
def test_at_a_kink_the_slope_is_that_from_the_left(phi: Activation, dtype: str, run: Layer) -> None:
    z = np.array([[0.0, -0.0, *phi.kinks]], dtype)
    _, a, slope = run(phi, z, np.zeros(1))
    np.testing.assert_allclose(a, phi.value(z), rtol=4 * np.finfo(dtype).eps, atol=0)
    np.testing.assert_allclose(slope, phi.prime(z), rtol=4 * np.finfo(dtype).eps, atol=0)


@every_dtype
@every_activation
def test_what_is_not_finite_is_what_the_textbook_makes_of_it(phi: Activation, dtype: str, run: Layer) -> None:
    z = np.array([[np.nan, np.inf, -np.inf]], dtype)
    _, a, slope = run(phi, z, np.zeros(1))
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(a, phi.value(z), rtol=1e-6)
        np.testing.assert_allclose(slope, phi.prime(z), rtol=1e-6)
    assert np.isnan(a[0, 0])


@every_dtype
@every_activation
def test_a_number_does_not_depend_on_its_neighbors(phi: Activation, dtype: str, run: Layer) -> None:
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
    assert twin_of(phi) is not None
    assert kernel_of(replace(phi, prime=sine), "float64") is None
    assert kernel_of(replace(phi, value=sine), "float32") is None
    assert kernel_of(replace(phi, value=partial(sine)), "float32") is None
    assert twin_of(replace(phi, name="mine")) == twin_of(phi)


def test_parameters_of_a_value_and_its_derivative_are_the_same_or_there_is_no_twin() -> None:
    one, other = activations.elu(1.0), activations.elu(2.0)
    assert twin_of(replace(one, prime=other.prime)) is None
    assert twin_of(other) == (formulas.exponential_linear_formula, (2.0, 1.0))
    assert twin_of(activations.leaky_relu(0.3)) == (formulas.two_slopes_formula, (0.3, 0.0))
    selu = twin_of(activations.selu())
    assert selu is not None
    assert selu[1] == (1.6732632423543772848, 1.0507009873554804934)


def test_what_an_activation_declares_stands_for_no_formula() -> None:
    mine = Activation("relu", sine, sine, (0.0,), Bounds(0, 1), (0.0, 1.0), homogeneous=True)
    assert kernel_of(mine, "float64") is None


SECOND = """
from bpcore import activations
from bpcore.engine import formulas
for name in ("tanh", "gelu", "selu", "elu"):
    phi = getattr(activations, name)()
    assert formulas.kernel_of(phi, "float32")[0]
    print(name, formulas.compiled(formulas.twin_of(phi)[0], "float32").cache_hits)
"""


def test_a_second_process_compiles_nothing(tmp_path: Path) -> None:
    """Kernels that differ in the function that they call alone are told apart, and found again."""

    def hits() -> list[str]:
        done = processes.run([sys.executable, "-c", SECOND], env=processes.environment(NUMBA_CACHE_DIR=str(tmp_path)))
        assert done.returncode == 0, done.stderr
        return [line.split()[1] for line in done.stdout.splitlines()]

    assert hits() == ["0"] * 4
    kept = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.nb?")}
    assert sum(file.suffix == ".nbi" for file in kept) == 3  # selu is elu with other parameters
    assert hits() == ["1"] * 4
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.nb?")} == kept
