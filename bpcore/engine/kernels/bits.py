"""What compiled code needs of a number and Python has no word for: fused products, powers of two, a number's exponent.

All of it takes float32 or float64 and returns the type that it was given; nothing here branches or calls a library.
"""

from collections.abc import Callable
from typing import Any

import numba
import numba.extending
from llvmlite import ir
from numba import types

Number = Any
"""A float32 or float64 in compiled code."""


def scalar(function: Callable[..., Any]) -> Any:
    """Compile a function of numbers, to be inlined into loops.

    No fastmath: every operation is rounded as it is written, products are fused with sums only where `fma` says so. What comes out is
    then the same in the body of a vectorized loop, in its remainder and on every processor. It is said in so many words, since numba
    lets a function that is silent about it inherit what the first of its callers in a process may assume.

    Args:
        function: of numbers, in numba's Python.
    """
    return numba.njit(error_model="numpy", fastmath=False, forceinline=True)(function)


def _intrinsic(function: Callable[..., Any]) -> Any:
    return numba.extending.intrinsic(function)


def _is_float(*kinds: Any) -> bool:
    return all(kind in (types.float32, types.float64) for kind in kinds) and len(set(kinds)) == 1


def _integer(kind: Any) -> tuple[ir.IntType, int, int]:
    """Return the integer as wide as a float, the number of bits behind the point, and the bias of the exponent."""
    return (ir.IntType(32), 23, 127) if kind == types.float32 else (ir.IntType(64), 52, 1023)


@_intrinsic
def like(typing: Any, x: Any, constant: Any) -> Any:
    """Return a constant in the type of x."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return context.cast(builder, values[1], signature.args[1], signature.return_type)

    return (x(x, constant), generate) if _is_float(x) else None


@_intrinsic
def either(typing: Any, x: Any, wide: Any, narrow: Any) -> Any:
    """Return `wide` for a float64 x and `narrow` for a float32, in the type of x."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = 2 if signature.return_type == types.float32 else 1
        return context.cast(builder, values[place], signature.args[place], signature.return_type)

    return (x(x, wide, narrow), generate) if _is_float(x) else None


@_intrinsic
def fma(typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return ab + c, rounded once."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.fma(*values)

    return (a(a, b, c), generate) if _is_float(a, b, c) else None


@_intrinsic
def horner(typing: Any, x: Any, wide: Any, narrow: Any) -> Any:
    """Return a polynomial at x, coefficients from the highest power down: `wide` for float64, `narrow` for float32."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind, place = signature.return_type, 2 if signature.return_type == types.float32 else 1
        tuple_ = signature.args[place]
        coefficients = [
            context.cast(builder, builder.extract_value(values[place], index), tuple_.dtype, kind) for index in range(tuple_.count)
        ]
        result = coefficients[0]
        for coefficient in coefficients[1:]:
            result = builder.fma(result, values[0], coefficient)
        return result

    return (x(x, wide, narrow), generate) if _is_float(x) else None


@_intrinsic
def with_sign(typing: Any, size: Any, sign: Any) -> Any:
    """Return a number with the sign of another, that of a zero included."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = values[0].type
        copysign = builder.module.declare_intrinsic("llvm.copysign", [kind], ir.FunctionType(kind, [kind, kind]))
        return builder.call(copysign, values)

    return (size(size, sign), generate) if _is_float(size, sign) else None


@_intrinsic
def power_of_two(typing: Any, k: Any) -> Any:
    """Return 2^k for a whole k to which 1.5 × 2^52 was added (1.5 × 2^23 in float32), so that its last bits spell the integer."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        integer, width, bias = _integer(signature.return_type)
        spelled = builder.add(builder.bitcast(values[0], integer), ir.Constant(integer, bias))
        return builder.bitcast(builder.shl(spelled, ir.Constant(integer, width)), values[0].type)

    return (k(k), generate) if _is_float(k) else None


@_intrinsic
def apart(typing: Any, x: Any) -> Any:
    """Return (k, m) with x = 2^k m and √½ ≤ m < √2, both as floats, for a positive normal x."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = signature.args[0]
        integer, width, bias = _integer(kind)
        root = 0x3F3504F3 if kind == types.float32 else 0x3FE6A09E667F3BCD  # the bits of √½
        number = values[0].type
        one, point = bias << width, (bias + width) << width  # the bits of 1 and of 2^width, whose last bits spell an integer
        moved = builder.add(builder.bitcast(values[0], integer), ir.Constant(integer, one - root))
        biased = builder.lshr(moved, ir.Constant(integer, width))
        spelled = builder.bitcast(builder.or_(biased, ir.Constant(integer, point)), number)
        k = builder.fsub(spelled, ir.Constant(number, float(2**width + bias)))
        fraction = builder.and_(moved, ir.Constant(integer, (1 << width) - 1))
        m = builder.bitcast(builder.add(fraction, ir.Constant(integer, root)), number)
        return context.make_tuple(builder, signature.return_type, (k, m))

    pair: Callable[[Any, int], Any] = types.UniTuple
    return (pair(x, 2)(x), generate) if _is_float(x) else None
