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
from experiments.bench.engine import stretch
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
    address = int(plan["gemm"][0])
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


def test_the_parts_of_a_single_layer_make_what_its_step_makes() -> None:
    """Here nothing is overwritten by another layer, so that a step can be made again from its z and its products."""
    engine = breakdown.prepared(Shape(3, 4, 0, "float64"))
    memory = engine._memory[False]
    expected = {name: array.copy() for name, array in memory.items()}
    above = memory["delta"][0, memory["delta"].shape[1] // 2 :]
    for array in (memory["a"], memory["slope"], above, memory["own_norms"][:, 1:]):
        assert array.any()
        array[...] = 0
    parts = breakdown.kinds(engine)
    for kind in ("φ and φ′", "loss", "norms", "update"):
        parts[kind](1)
    for name in ("a", "slope", "delta"):
        np.testing.assert_array_equal(memory[name], expected[name], err_msg=name)
    # In a loop that is compiled anew, a sum may be taken in another order.
    np.testing.assert_allclose(memory["own_norms"], expected["own_norms"], rtol=1e-14)


def test_bp2_leaves_the_sums_of_bp3() -> None:
    engine = breakdown.prepared(Shape(3, 4, 1, "float64"))
    gradient, begin = engine._memory[False]["gradient"], int(engine.layout.biases[1] - engine.layout.own[1])
    own = gradient[0, begin : begin + 3]
    expected = own.copy()
    assert expected.all()
    own[...] = 0
    breakdown.kinds(engine)["BP2"](1)
    np.testing.assert_allclose(own, expected, rtol=1e-14)


def test_the_transposes_are_those_of_the_step() -> None:
    engine = breakdown.prepared(SMALL)
    turned = engine._memory[False]["turned"]
    expected = turned.copy()
    assert expected.any()
    turned[...] = 0
    breakdown.kinds(engine)["transposes"](1)
    np.testing.assert_array_equal(turned, expected)


def test_a_step_is_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breakdown, "_STRETCH_S", 0.002)
    parts = breakdown.measure(SMALL)  # in float64, for which the parts are compiled already
    assert set(parts) == {*breakdown.KINDS, "rest", "step"}
    assert {*breakdown.KINDS, "rest"} == set(tables.PARTS)
    assert all(parts[kind] > 0 for kind in breakdown.KINDS)
    assert math.isclose(sum(parts[kind] for kind in breakdown.KINDS) + parts["rest"], parts["step"])
    page = tables.document({"machine": MACHINE, "arguments": [], "breakdown": [{**ROW, **parts}, {**ROW, "error": "none"}]})
    assert len({len(cells) for cells in rows_of(page)}) == 1
