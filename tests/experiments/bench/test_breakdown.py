"""A step taken apart: the parts are those of the engine."""

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, c_char, c_int, c_void_p, cast
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from bpcore.engine.engine import Engine
from experiments.bench import breakdown, tables
from experiments.bench.engine import made, stretch
from experiments.bench.shapes import Shape
from tests.experiments.bench.test_bench import MACHINE, ROW, rows_of

SMALL = Shape(3, 4, 3, "float64")
WIDE = Shape(130, 3, 2, "float64")
SHAPES = [SMALL, WIDE]
"""Above a fan-in of 128 nothing is transposed."""


@contextmanager
def counted_products(engine: Engine) -> Iterator[Counter[tuple[Any, ...]]]:
    """Let products of an engine pass through a function that counts them, by their sizes, orientation and operands."""
    whole, letter = POINTER(c_int), POINTER(c_char)
    kind = CFUNCTYPE(None, letter, letter, whole, whole, whole, c_void_p, c_void_p, whole, c_void_p, whole, c_void_p, c_void_p, whole)
    plan = engine._plans[False]
    address = int(plan["gemm"])
    blas = cast(address, kind)
    seen: Counter[tuple[Any, ...]] = Counter()

    def product(*given: Any) -> None:
        a, b, m, n, k, _, A, lda, B, ldb, _, C, ldc = given
        seen[a[0], b[0], m[0], n[0], k[0], A, lda[0], B, ldb[0], C, ldc[0]] += 1
        blas(*given)

    held = kind(product)
    plan["gemm"] = cast(held, c_void_p).value
    try:
        yield seen
    finally:
        plan["gemm"] = address


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.label)
def test_the_products_taken_apart_are_the_engines(shape: Shape) -> None:
    engine = breakdown.prepared(shape)
    go = stretch(engine, 1)
    with counted_products(engine) as step:
        go()
    with counted_products(engine) as alone:
        breakdown.kinds(engine)["products"](3)
    assert sum(step.values()) == 3 * len(list(pairwise(shape.sizes)))
    assert alone == Counter({product: 3 * count for product, count in step.items()})


@pytest.mark.parametrize("kind", [kind for kind in breakdown.KINDS if kind != "products"])
def test_the_other_parts_make_no_products(kind: str) -> None:
    engine = breakdown.prepared(SMALL)
    with counted_products(engine) as alone:
        breakdown.kinds(engine)[kind](2)
    assert not alone


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.label)
@pytest.mark.parametrize("kind", breakdown.KINDS)
def test_parts_may_be_repeated_for_long(kind: str, shape: Shape) -> None:
    """No number grows or vanishes, by which a part would get slower than it is in a step."""
    engine = breakdown.prepared(shape)
    parameters = engine.state["parameters"].copy()
    breakdown.kinds(engine)[kind](2)
    memory = {name: array.copy() for name, array in engine._memory[False].items()}
    breakdown.kinds(engine)[kind](1000)
    np.testing.assert_array_equal(engine.state["parameters"], parameters)
    for name, array in engine._memory[False].items():
        np.testing.assert_array_equal(array, memory[name], err_msg=name)


def test_the_parts_make_what_the_step_makes() -> None:
    """In the engine's order, with the parameters of a step, they leave behind the norms that the step recorded."""
    engine, reference = breakdown.prepared(SMALL), made(SMALL, lr=0.0)
    stretch(reference, 2)()
    memory = engine._memory[False]
    expected = reference._memory[False]["own_norms"].copy()
    assert np.isfinite(expected[:, 1:]).all()
    for name in ("own_norms", "turned"):
        memory[name][...] = 0
    parts = breakdown.kinds(engine)
    parts["update"](1)  # needs the norms of the gradients: nothing stands there yet
    parts["transposes"](1)
    np.testing.assert_array_equal(memory["turned"], reference._memory[False]["turned"])


def test_a_step_is_taken_apart() -> None:
    parts = breakdown.measure(SMALL)
    assert set(parts) == {*breakdown.KINDS, "rest", "step"}
    assert {*breakdown.KINDS, "rest"} == set(tables.PARTS)
    assert all(parts[kind] > 0 for kind in breakdown.KINDS)
    assert math.isclose(sum(parts[kind] for kind in breakdown.KINDS) + parts["rest"], parts["step"])
    page = tables.document({"machine": MACHINE, "arguments": [], "breakdown": [{**ROW, **parts}, {**ROW, "error": "none"}]})
    assert len({len(cells) for cells in rows_of(page)}) == 1
