"""Memory by its address, for compiled loops: entries, views and matrix products.

An array that numba is given is a dozen numbers and a count of references; a loop over many arrays is then slow to compile, and every
view costs an atomic operation. A plan holds addresses instead (see `plan`), and views are made of them where they are used.
"""

from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils

from bpcore.engine.kernels.language import ENTRIES, inner, primitive


@primitive
def pointer(context: Any, address: Any, offset: Any, like: Any) -> Any:
    """Return a pointer to an entry: the address of the first, its place, and any number of its type."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = ir.PointerType(context.get_data_type(like))
        return builder.gep(builder.inttoptr(values[0], kind), [values[1]])

    return types.CPointer(like)(types.int64, types.int64, like), generate


@primitive
def load(context: Any, address: Any, offset: Any, like: Any) -> Any:
    """Return an entry: the address of the first, its place, and any number of its type."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = ir.PointerType(context.get_value_type(like))
        return builder.load(builder.gep(builder.inttoptr(values[0], kind), [values[1]]))

    return like(types.int64, types.int64, like), generate


@primitive
def store(context: Any, address: Any, offset: Any, value: Any) -> Any:
    """Write an entry of the value's own type: the address of the first, and its place."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = ir.PointerType(context.get_value_type(value))
        builder.store(values[2], builder.gep(builder.inttoptr(values[0], kind), [values[1]]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, value), generate


@inner(ENTRIES)
def vector(address: int, at: int, n: int, like: Any) -> Any:
    """Return n entries from a place on as a view (n,)."""
    return numba.carray(pointer(address, at, like), (n,))


@inner(ENTRIES)
def matrix(address: int, at: int, n: int, m: int, like: Any) -> Any:
    """Return n·m entries from a place on as a view (n, m)."""
    return numba.carray(pointer(address, at, like), (n, m))


@primitive
def gemm(context: Any, address: Any, turned: Any, m: Any, n: Any, k: Any, A: Any, lda: Any, B: Any, ldb: Any, C: Any, like: Any) -> Any:
    """Write op(A) op(B), (m, n) by columns, to C.

    Args:
        context: numba's.
        address: of BLAS's function.
        turned: 0 for A B, 1 for Aᵀ B, 2 for A Bᵀ.
        m: rows of the result, its leading dimension too.
        n: its columns.
        k: length of the sums.
        A: its address.
        lda: its leading dimension.
        B: its address.
        ldb: its leading dimension.
        C: its address.
        like: any number of the type of the entries.
    """

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        address, turned, m, n, k, A, lda, B, ldb, C, _ = values
        byte, integer, number = ir.IntType(8), ir.IntType(32), context.get_value_type(signature.args[-1])

        def place(value: Any) -> Any:
            return cgutils.alloca_once_value(builder, value)

        def whole(value: Any) -> Any:
            return place(builder.trunc(value, integer))

        def letter(which: int) -> Any:
            is_turned = builder.icmp_signed("==", turned, ir.Constant(turned.type, which))
            return place(builder.select(is_turned, ir.Constant(byte, ord("T")), ir.Constant(byte, ord("N"))))

        def entries(value: Any) -> Any:
            return builder.inttoptr(value, ir.PointerType(number))

        rows = whole(m)
        one, zero = place(ir.Constant(number, 1.0)), place(ir.Constant(number, 0.0))
        passed = [
            letter(1),
            letter(2),
            rows,
            whole(n),
            whole(k),
            one,
            entries(A),
            whole(lda),
            entries(B),
            whole(ldb),
            zero,
            entries(C),
            rows,
        ]
        kind = ir.FunctionType(ir.VoidType(), [value.type for value in passed])
        builder.call(builder.inttoptr(address, ir.PointerType(kind)), passed)
        return context.get_dummy_value()

    return types.void(*(types.int64,) * 10, like), generate
