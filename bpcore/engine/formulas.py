"""Activations in compiled layers: z and b go in, z + b, φ and φ′ come out, in one pass.

A twin belongs to a formula, not to a name: it is found by the functions that an activation consists of, parameters by what they are
bound to. An activation of other functions has none.
"""

import functools
import types
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from bpcore import activations as textbook
from bpcore.activations import Activation
from bpcore.arrays import Array
from bpcore.engine.bits import Number, like, scalar
from bpcore.engine.elementary import exp, expm1, log1p, logistic, normal, tanh

Pair = tuple[Number, Number]
"""φ(z) and φ′(z)."""


@scalar
def sigmoid_formula(z: Number, p: Number, q: Number) -> Pair:
    """Return σ(z), σ′(z)."""
    return logistic(z)  # type: ignore[no-any-return]


@scalar
def tanh_formula(z: Number, p: Number, q: Number) -> Pair:
    """Return tanh z, sech² z."""
    return tanh(z)  # type: ignore[no-any-return]


@scalar
def relu_formula(z: Number, p: Number, q: Number) -> Pair:
    """Return max(z, 0), 1{z>0}; what is not a number stays so."""
    zero = like(z, 0)
    return zero if z <= zero else z, like(z, 1) if z > zero else zero


@scalar
def two_slopes_formula(z: Number, left: Number, q: Number) -> Pair:
    """Return z, 1 for z > 0 and left·z, left otherwise."""
    positive = z > like(z, 0)
    return z if positive else left * z, like(z, 1) if positive else left


@scalar
def exponential_linear_formula(z: Number, alpha: Number, gain: Number) -> Pair:
    """Return gain·z, gain for z > 0 and gain·alpha·(e^z − 1), gain·alpha·e^z otherwise."""
    zero, one = like(z, 0), like(z, 1)
    positive = z > zero
    below = zero if positive else z
    return gain * (z if positive else alpha * expm1(below)), gain * (one if positive else alpha * exp(below))


@scalar
def softplus_formula(z: Number, p: Number, q: Number) -> Pair:
    """Return max(z, 0) + ln(1+e^(−|z|)), σ(z)."""
    zero = like(z, 0)
    return (z if z > zero else zero) + log1p(exp(-abs(z))), logistic(z)[0]


@scalar
def gelu_formula(z: Number, p: Number, q: Number) -> Pair:
    """Return zΦ(z), Φ(z) + zΦ′(z)."""
    cdf, density = normal(z)
    return z * cdf, cdf + z * density


@scalar
def silu_formula(z: Number, p: Number, q: Number) -> Pair:
    """Return zσ(z), σ(z) + zσ′(z)."""
    value, slope = logistic(z)
    return z * value, value + z * slope


@scalar
def identity_formula(z: Number, p: Number, q: Number) -> Pair:
    """Return z, 1."""
    return z, like(z, 1)


@scalar
def softsign_formula(z: Number, p: Number, q: Number) -> Pair:
    """Return z/(1+|z|), 1/(1+|z|)²."""
    d = like(z, 1) + abs(z)
    y = like(z, 1) / d
    return z / d, y * y


@scalar
def exponential_formula(z: Number, p: Number, q: Number) -> Pair:
    """Return e^z, e^z."""
    e = exp(z)
    return e, e


formula: Any = identity_formula
"""Stands in for the formula of each layer."""


def _layer(z: Any, b: Any, a: Any, slope: Any, n: int, m: int, parameters: Any) -> None:
    p, q = parameters[0], parameters[1]
    for i in range(n):  # a pass of its own: the next one is then over all entries at once, and checks once that no arrays overlap
        bias = b[i]
        for j in range(i * m, i * m + m):
            z[j] += bias
    for k in range(n * m):
        a[k], slope[k] = formula(z[k], p, q)


def layer(compiled_formula: Any) -> Callable[..., None]:
    """Return the loop of a layer around a formula, to be compiled: (z, b, a, s, n, m, p) → nothing.

    z ← z + b, a ← φ(z), s ← φ′(z); z, a and s are (n, m), rows one after another, b is (n,), p the two parameters of the formula.
    It is the same code with other globals, under a name of its own: numba keeps machine code on disk by name.

    Args:
        compiled_formula: (z, p, q) → (φ(z), φ′(z)), a compiled function of numbers.
    """
    loop = types.FunctionType(_layer.__code__, {**globals(), "formula": compiled_formula}, _layer.__name__)
    loop.__qualname__ = f"layer_{compiled_formula.__name__}"
    return loop


TWINS: dict[tuple[Callable[..., Array], Callable[..., Array]], Any] = {
    (textbook.logistic, textbook.logistic_prime): sigmoid_formula,
    (np.tanh, textbook.tanh_prime): tanh_formula,
    (textbook.rectify, textbook.step): relu_formula,
    (textbook.two_slopes, textbook.two_slopes_prime): two_slopes_formula,
    (textbook.exponential_linear, textbook.exponential_linear_prime): exponential_linear_formula,
    (textbook.smooth_rectify, textbook.logistic): softplus_formula,
    (textbook.gaussian_linear, textbook.gaussian_linear_prime): gelu_formula,
    (textbook.logistic_linear, textbook.logistic_linear_prime): silu_formula,
    (textbook.unchanged, np.ones_like): identity_formula,
}
"""φ and φ′ of the textbook -> both at once, compiled. Functions with parameters stand for what `functools.partial` makes of them."""


def twin_of(phi: Activation) -> tuple[Any, tuple[float, float]] | None:
    """Return the compiled formula of an activation and its parameters, or None for functions that have none.

    Args:
        phi: an activation.

    Returns:
        (formula, (p, q)) as `layer` wants them; a formula with fewer parameters ignores the others, which are 0.
    """
    value, bound = _unbound(phi.value)
    prime, bound_of_prime = _unbound(phi.prime)
    found = TWINS.get((value, prime))
    if found is None or bound != bound_of_prime:
        return None
    p, q, *_ = (*bound, 0.0, 0.0)
    return found, (p, q)


def _unbound(function: Any) -> tuple[Any, tuple[float, ...]]:
    """Return a function and the values that its parameters were bound to, in the order of their names."""
    if not isinstance(function, functools.partial):
        return function, ()
    return function.func, tuple(float(function.keywords[name]) for name in sorted(function.keywords))


def kernel_of(phi: Activation, dtype: str) -> tuple[int, tuple[float, float]] | None:
    """Return the compiled layer of an activation, which is compiled or loaded when it is first asked for.

    Args:
        phi: an activation.
        dtype: ``float32`` or ``float64``.

    Returns:
        (address, (p, q)): of a C function void(T* z, T* b, T* a, T* s, int64 n, int64 m, T* p), see `layer`; and the parameters to
        be handed to it. None if no formula was written for these functions.
    """
    twin = twin_of(phi)
    return None if twin is None else (int(compiled(twin[0], dtype).address), twin[1])


@functools.cache
def compiled(compiled_formula: Any, dtype: str) -> Any:
    """Return the compiled layer of a formula for a dtype, from disk if it was compiled before."""
    return numba.cfunc(signature(DTYPES[dtype]), cache=True, error_model="numpy")(layer(compiled_formula))


DTYPES = {"float32": numba.types.float32, "float64": numba.types.float64}


def signature(number: Any) -> Any:
    """Return the type of a layer, given the type of a number."""
    pointer: Callable[[Any], Any] = numba.types.CPointer
    entries = pointer(number)
    return numba.types.void(entries, entries, entries, entries, numba.types.int64, numba.types.int64, entries)
