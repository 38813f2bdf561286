"""Activations in compiled layers: z and b go in, z + b, φ and φ′ come out, in one pass."""

import types
from collections.abc import Callable
from typing import Any

from numba import types as numba_types

from bpcore.engine.kernels.bits import Number, like, scalar
from bpcore.engine.kernels.elementary import exp, expm1, gate_of_gelu, log1p, logistic, normal, tanh
from bpcore.engine.kernels.language import call_of

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


@scalar
def hard_tanh_formula(z: Number, p: Number, q: Number) -> Pair:
    """Return min(max(z, −1), 1), 1{−1<z≤1}; what is not a number stays so."""
    one = like(z, 1)
    inside = one if z > -one else like(z, 0)
    return one if z > one else (-one if z < -one else z), like(z, 0) if z > one else inside


@scalar
def relu6_formula(z: Number, p: Number, q: Number) -> Pair:
    """Return min(max(z, 0), 6), 1{0<z≤6}; what is not a number stays so."""
    zero, six = like(z, 0), like(z, 6)
    inside = like(z, 1) if z > zero else zero
    return six if z > six else (zero if z <= zero else z), zero if z > six else inside


@scalar
def mish_formula(z: Number, p: Number, q: Number) -> Pair:
    """Return z tanh(ln(1+e^z)) and its derivative, by e^(−|z|)."""
    one, two, four = like(z, 1), like(z, 2), like(z, 4)
    right = z > like(z, 0)
    e = exp(-abs(z))
    n = one + two * e if right else e * (e + two)
    d = n + (two * e) * e if right else n + two
    steep = (four * e) * (e + one)
    gate, y = n / d, one / d
    return z * gate, gate + (z * ((steep * e if right else steep) * y)) * y


@scalar
def gelu_tanh_formula(z: Number, p: Number, q: Number) -> Pair:
    """Return zσ(2u), σ(2u) + zσ′(2u)·2u′ with u = √(2/π)(z + 0.044715 z³)."""
    gate, rise = gate_of_gelu(z)
    return z * gate, gate + z * rise


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


def signature(T: Any) -> Any:
    """Return void(z, b, a, slope, n, m, parameters), given the type of a number."""
    pointer = numba_types.CPointer(T)
    return numba_types.void(*(pointer,) * 4, numba_types.int64, numba_types.int64, pointer)


call = call_of(numba_types.void, 7)


FORMULAS = {
    "sigmoid": sigmoid_formula,
    "tanh": tanh_formula,
    "relu": relu_formula,
    "two_slopes": two_slopes_formula,
    "exponential_linear": exponential_linear_formula,
    "softplus": softplus_formula,
    "gelu": gelu_formula,
    "silu": silu_formula,
    "identity": identity_formula,
    "softsign": softsign_formula,
    "exponential": exponential_formula,
    "hard_tanh": hard_tanh_formula,
    "relu6": relu6_formula,
    "mish": mish_formula,
    "gelu_tanh": gelu_tanh_formula,
}

KERNELS = {name: (layer(formula), signature, set[str]()) for name, formula in FORMULAS.items()}
