"""The words in which kernels are written, beside numba's own."""

from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

SUMS = {"reassoc", "contract", "nsz"}
"""What a loop that adds up may assume, so that it is vectorized: the order of a sum is free. Never that numbers are finite."""

ENTRIES = {"contract"}
"""What a loop over entries may assume: that a product and a sum are rounded once together."""

primitive: Callable[[Callable[..., Any]], Any] = intrinsic
"""Makes of a function that writes machine code a word of the language of kernels."""


def inner(fastmath: set[str]) -> Callable[[Callable[..., Any]], Any]:
    """Return a decorator for functions that kernels call.

    Args:
        fastmath: what their loops may assume.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        return numba.njit(error_model="numpy", fastmath=fastmath, no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)

    return decorate


def call_of(result: Any, arity: int) -> Any:
    """Return a function for kernels, call(address, arguments…), which calls another kernel by its address.

    Args:
        result: numba's type of what it returns.
        arity: number of arguments; arrays are passed as pointers to their first entries.
    """

    def describe(context: Any, arguments: tuple[Any, ...]) -> Any:
        signature = result(types.int64, *arguments)

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            address, *given = values
            passed = [
                context.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value
                for kind, value in zip(signature.args[1:], given, strict=True)
            ]
            empty = signature.return_type == types.void
            kind = ir.FunctionType(
                ir.VoidType() if empty else context.get_value_type(signature.return_type), [value.type for value in passed]
            )
            outcome = builder.call(builder.inttoptr(address, ir.PointerType(kind)), passed)
            return context.get_dummy_value() if empty else outcome

        return signature, generate

    names = ", ".join(f"x{number}" for number in range(arity))
    space: dict[str, Any] = {"describe": describe}
    # A primitive has a fixed number of arguments.
    exec(f"def call(context, address, {names}):\n    return describe(context, ({names},))", space)
    return primitive(space["call"])
