"""Elementary functions of the engine: 2 units in the last place at most, everywhere, and the same wherever an entry stands."""

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import llvmlite.binding
import mpmath as mp
import numpy as np
import pytest

from bpcore.engine.kernels import coefficients, elementary
from bpcore.engine.kernels.bits import scalar
from bpcore.engine.machine import target
from tests import processes
from tests.bpcore.engine.kernels import AS_THE_ENGINE
from tests.bpcore.engine.kernels.coefficients import polynomials
from tests.bpcore.engine.kernels.ulps import CASES, Case, applied, arguments, digest, errors, over, worst

MOST = 2.0
DTYPES = ("float64", "float32")
every_function = pytest.mark.parametrize("name", CASES)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


@every_dtype
@every_function
def test_two_units_in_the_last_place_at_most(name: str, dtype: str) -> None:
    error, place = worst(CASES[name], dtype, 600)
    assert error <= MOST, f"{error} at {place!r}"


@scalar
def cancelled(z: Any) -> Any:
    value, _ = elementary.tanh(z)
    return value, elementary.like(z, 1.0) - value * value


@scalar
def difference(x: Any) -> Any:
    return elementary.exp(x) - elementary.like(x, 1.0)


@scalar
def flushed(x: Any) -> Any:
    """e^x whose power of two is one number: right but for subnormal results."""
    spelled, r, rest = elementary.reduced(x)
    return elementary.power_of_two(spelled) * (elementary.like(x, 1.0) + (r + rest))


@every_dtype
@pytest.mark.parametrize(("name", "worse"), [("sech² = tanh′", cancelled), ("expm1", difference), ("exp", flushed)])
def test_a_worse_function_would_be_found(name: str, worse: Any, dtype: str) -> None:
    error, _ = worst(replace(CASES[name], function=worse), dtype, 600)
    assert not error <= 100


def test_a_number_next_to_the_right_one_is_one_unit_off() -> None:
    x = arguments(1, 700, "float64", 20)
    right = np.exp(x.astype(np.longdouble)).astype(float)
    off = errors(np.nextafter(right, np.inf), mp.exp, x)
    assert ((off > 0.45) & (off < 1.55)).all()


def digest_for(name: str, features: str) -> str:
    """Return the digest of a process that compiles for a processor."""
    script = "from tests.bpcore.engine.kernels.ulps import digest; print(digest())"
    environment = processes.environment(NUMBA_CPU_NAME=name, NUMBA_CPU_FEATURES=features)
    done = processes.run([sys.executable, "-c", script], env=environment, cwd=processes.ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_bits_do_not_depend_on_the_processor_that_is_compiled_for() -> None:
    """Every operation is rounded as it is written, so narrow vectors and wide ones agree."""
    features = llvmlite.binding.get_host_cpu_features()
    if not (features.get("avx2") and features.get("fma")):
        pytest.skip("a Haswell's code does not run here")
    here = digest() if AS_THE_ENGINE else digest_for(*target())
    assert here == digest_for("haswell", "")


INF, NAN = np.inf, np.nan
LIMITS: dict[str, list[tuple[float, float]]] = {
    "exp": [(-INF, 0), (-0.0, 1), (0, 1), (INF, INF), (-1e30, 0), (1e30, INF)],
    "expm1": [(-INF, -1), (-0.0, -0.0), (0, 0), (INF, INF), (-1e30, -1), (1e30, INF)],
    "sinh": [(-INF, -INF), (-0.0, -0.0), (0, 0), (INF, INF), (-1e30, -INF), (1e30, INF)],
    "log": [(-INF, NAN), (-1, NAN), (-0.0, -INF), (0, -INF), (1, 0), (INF, INF)],
    "log1p": [(-INF, NAN), (-2, NAN), (-1, -INF), (-0.0, -0.0), (0, 0), (INF, INF)],
    "tanh": [(-INF, -1), (-0.0, -0.0), (0, 0), (INF, 1), (-1e30, -1), (1e30, 1)],
    "sech² = tanh′": [(-INF, 0), (-0.0, 1), (0, 1), (INF, 0), (1e30, 0)],
    "σ, the logistic": [(-INF, 0), (-0.0, 0.5), (0, 0.5), (INF, 1), (-1e30, 0), (1e30, 1)],
    "σ′": [(-INF, 0), (-0.0, 0.25), (0, 0.25), (INF, 0), (1e30, 0)],
    "Φ, the normal": [(-INF, 0), (-0.0, 0.5), (0, 0.5), (INF, 1), (-1e30, 0), (1e30, 1)],
    "Φ′": [(-INF, 0), (0, coefficients.DENSITY_AT_0), (INF, 0), (1e30, 0)],
}


@every_dtype
@every_function
def test_limits_are_exact_and_what_is_not_a_number_stays_so(name: str, dtype: str) -> None:
    x, want = np.array([*LIMITS[name], (NAN, NAN)]).T.astype(dtype)
    got = applied(CASES[name], x)
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(np.signbit(got[:-1]) & (got[:-1] == 0), np.signbit(want[:-1]) & (want[:-1] == 0))


@every_dtype
def test_what_is_largest_is_finite_and_what_is_beyond_it_is_not(dtype: str) -> None:
    largest = float(np.finfo(dtype).max)
    with mp.workprec(100):
        top = np.array([float(mp.log(mp.mpf(largest)))]).astype(dtype)
    below, above = (np.nextafter(top, np.array([end], dtype)) for end in (-INF, INF))
    for name in ("exp", "expm1"):
        assert np.isfinite(applied(CASES[name], below)).all()
        assert np.isinf(applied(CASES[name], np.nextafter(above, np.array([INF], dtype)))).all()


@every_dtype
@every_function
def test_a_number_does_not_depend_on_where_it_stands(name: str, dtype: str) -> None:
    """In the vectorized body of a loop, in its remainder and alone: the same bits."""
    x = arguments(*CASES[name].ends[dtype], dtype, 40)
    together = applied(CASES[name], x)
    alone = np.concatenate([applied(CASES[name], x[i : i + 1]) for i in range(x.size)])
    np.testing.assert_array_equal(together.view(np.uint8), alone.view(np.uint8))


@every_dtype
@every_function
def test_loops_are_vectorized_and_call_no_library(name: str, dtype: str) -> None:
    case: Case = CASES[name]
    applied(case, np.ones(8, dtype))
    loop: Any = over(case.function, case.place)
    code = next(text for key, text in loop.inspect_llvm().items() if str(key[0].dtype) == dtype)
    assert re.search(rf"@llvm\.fma\.v\d+f{dtype[-2:]}\(", code)
    assert not re.findall(r"call \w+ @(?!llvm\.)\w*(?:exp|log|tanh|sinh|pow|fma)\w*\(", code)


def test_coefficients_are_what_the_script_computes() -> None:
    for name, values in polynomials().items():
        stated = getattr(coefficients, name)
        rounded: Callable[[float], float] = (lambda v: float(np.float32(v))) if name.endswith("_32") else float
        assert tuple(map(rounded, stated)) == values, name
    with mp.workprec(200):
        for suffix, kind in (("", np.float64), ("_32", np.float32)):
            whole, rest = getattr(coefficients, f"LN2{suffix}"), getattr(coefficients, f"LN2_REST{suffix}")
            assert kind(whole) == kind(float(mp.log(2)))
            assert kind(rest) == kind(float(mp.log(2) - mp.mpf(float(kind(whole)))))
            short, beyond = (float(kind(getattr(coefficients, f"LN2_{part}{suffix}"))) for part in ("SHORT", "BEYOND"))
            assert abs(mp.mpf(short) + mp.mpf(beyond) - mp.log(2)) < mp.mpf(float(np.finfo(kind).eps)) * beyond
            largest = np.arange(-1100 if suffix == "" else -150, 1100 if suffix == "" else 150)
            assert all(float(kind(k) * kind(short)) == mp.mpf(int(k)) * mp.mpf(short) for k in largest)
        assert float(1 / mp.log(2)) == coefficients.LOG2_E
        assert float(1 / mp.sqrt(2 * mp.pi)) == coefficients.DENSITY_AT_0
