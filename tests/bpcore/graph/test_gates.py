"""Every gate against complex step, over shapes and values; and the conventions where no derivative exists.

A new gate fails `test_every_gate_has_a_row` until it is given a row here that says on which inputs it is asked.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import softmax

from bpcore.graph import gates
from bpcore.graph.node import Array, Gate, constant, variable
from bpcore.graph.perturb import complex_step
from bpcore.graph.reverse import backward

CATALOGUE = gates.catalogue()
RTOL = 1e-12


TINY = 1e-250
"""What is smaller, times the complex step's 1e-30, is no normal number any more: the oracle itself loses its digits."""


def numbers(low: float = -3.0, high: float = 3.0, off: float | None = None) -> st.SearchStrategy[float]:
    """Draw floats of [low, high], not nearer than 1e-3 to `off`, 0 instead of tiny ones."""
    drawn = st.floats(low, high, allow_nan=False, allow_subnormal=False).map(lambda value: value if abs(value) >= TINY else 0.0)
    return drawn if off is None else drawn.filter(lambda value: abs(value - off) > 1e-3)


SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, max_side=3)


@st.composite
def elementwise(draw: st.DrawFn, *elements: st.SearchStrategy[float]) -> list[Array]:
    """Draw one array per input, of shapes that broadcast together."""
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=len(elements), max_dims=3, max_side=3)).input_shapes
    return [draw(hnp.arrays(float, shape, elements=element)) for shape, element in zip(shapes, elements, strict=True)]


@st.composite
def untied(draw: st.DrawFn) -> list[Array]:
    """Draw two broadcastable arrays without ties."""
    x, y = draw(elementwise(numbers(), numbers()))
    gap = np.broadcast_arrays(x, y)
    return [x, y] if (abs(gap[0] - gap[1]) > 1e-3).all() else [x, np.full(y.shape, 3.1)]


@st.composite
def matrices(draw: st.DrawFn) -> list[Array]:
    """Draw two factors of a matrix product: vectors, matrices, stacks of them."""
    n, k, m = (draw(st.integers(1, 3)) for _ in range(3))
    left, right = draw(
        st.sampled_from([((n, k), (k, m)), ((k,), (k, m)), ((n, k), (k,)), ((k,), (k,)), ((2, n, k), (k, m)), ((2, n, k), (1, k, m))])
    )
    return [draw(hnp.arrays(float, shape, elements=numbers())) for shape in (left, right)]


@st.composite
def alike(draw: st.DrawFn, first: st.SearchStrategy[float], second: st.SearchStrategy[float]) -> list[Array]:
    """Draw two arrays of the same shape, a vector or a matrix."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=2, max_side=4))
    return [draw(hnp.arrays(float, shape, elements=element)) for element in (first, second)]


@st.composite
def alone(draw: st.DrawFn, min_dims: int = 0) -> list[Array]:
    """Draw one array."""
    return [draw(hnp.arrays(float, hnp.array_shapes(min_dims=min_dims, max_dims=3, max_side=3), elements=numbers()))]


@dataclass(frozen=True)
class Row:
    """Say on which inputs and with which parameters a gate is asked."""

    inputs: st.SearchStrategy[list[Array]]
    parameters: Callable[[list[Array]], st.SearchStrategy[dict[str, Any]]] = lambda inputs: st.just({})


def reductions(inputs: list[Array]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw an axis of the input, or none, and whether it is kept."""
    axes = st.sampled_from([None, *range(-inputs[0].ndim, inputs[0].ndim)])
    return st.fixed_dictionaries({}, optional={"axis": axes, "keepdims": st.booleans()})


def slopes(inputs: list[Array]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw α."""
    return st.fixed_dictionaries({}, optional={"alpha": numbers(-0.5, 2.0)})


def uncancelled(inputs: list[Array]) -> bool:
    """Tell whether softmax(z)·Σy − y leaves something that errors may be relative to; it does not at z = 0, y = 1."""
    z, y = inputs
    left, right = softmax(z, axis=0) * y.sum(axis=0), y
    return bool(len(z) == 1 or abs(left - right).max() > 1e-3 * abs(right).max())


ANY, POSITIVE, NONZERO = numbers(), numbers(0.1, 4.0), numbers(off=0.0)
ROWS = {
    "add": Row(elementwise(ANY, ANY)),
    "subtract": Row(elementwise(ANY, ANY)),
    "negate": Row(elementwise(ANY)),
    "multiply": Row(elementwise(ANY, ANY)),
    "divide": Row(elementwise(ANY, numbers(0.2, 3.0) | numbers(-3.0, -0.2))),
    "reciprocal": Row(elementwise(numbers(0.2, 3.0) | numbers(-3.0, -0.2))),
    "power": Row(elementwise(POSITIVE, ANY)),
    "exp": Row(elementwise(numbers(-20, 20))),
    "log": Row(elementwise(numbers(1e-3, 50))),
    "sqrt": Row(elementwise(numbers(1e-3, 50))),
    "abs": Row(elementwise(NONZERO)),
    "erf": Row(elementwise(ANY)),
    "max": Row(untied()),
    "min": Row(untied()),
    "sigmoid": Row(elementwise(numbers(-60, 60))),
    "tanh": Row(elementwise(numbers(-60, 60))),
    "relu": Row(elementwise(NONZERO)),
    "leaky_relu": Row(elementwise(NONZERO), slopes),
    "elu": Row(elementwise(numbers(-60, 60, off=0.0)), slopes),
    "softplus": Row(elementwise(numbers(-60, 60))),
    "matmul": Row(matrices()),
    "transpose": Row(alone(min_dims=2)),
    "sum": Row(alone(), reductions),
    "mean": Row(alone(), reductions),
    "norm2": Row(alone()),
    "logsumexp": Row(alone(min_dims=1), reductions),
    "softmax_cross_entropy": Row(alike(numbers(-20, 20), numbers(0.1, 1.0)).filter(uncancelled)),
}


def test_every_gate_has_a_row() -> None:
    missing = CATALOGUE.keys() - ROWS.keys()
    assert not missing, f"no row in tests/bpcore/graph/test_gates.py for {sorted(missing)}: add the inputs on which the gate is to be asked"
    assert not ROWS.keys() - CATALOGUE.keys()


def test_the_catalogue_is_what_the_package_exports() -> None:
    exported = [value for name in gates.__all__ if isinstance(value := getattr(gates, name), Gate)]
    assert len(exported) == len(CATALOGUE)
    assert {id(gate) for gate in exported} == {id(gate) for gate in CATALOGUE.values()}


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_gate_states_its_rule_and_source(name: str) -> None:
    gate = CATALOGUE[name]
    assert gate.rule
    assert gate.source
    assert gate.role in ("", "distribute", "route", "switch")


def check(gate: Gate, inputs: list[Array], parameters: dict[str, Any]) -> None:
    """Hold ∂(Σ c·out)/∂input against complex step, with weights c that tell the entries of out apart."""
    leaves = [variable(value) for value in inputs]
    out = gate(*leaves, **parameters)
    weights = 1 + np.arange(out.value.size).reshape(out.shape) / 7
    f = gates.summation(out * constant(weights))
    gradients = backward(f)
    for leaf in leaves:
        step = complex_step(f, leaf)
        assert gradients[leaf].shape == leaf.shape
        if leaf.value.size:
            # entries may be sums with cancellation: relative to the largest of the array
            assert abs(gradients[leaf] - step).max() <= RTOL * abs(step).max()


@pytest.mark.parametrize("name", CATALOGUE)
@settings(derandomize=True, deadline=None, max_examples=25)
@given(data=st.data())
def test_gates_agree_with_complex_step(name: str, data: st.DataObject) -> None:
    row = ROWS[name]
    inputs = data.draw(row.inputs)
    check(CATALOGUE[name], inputs, data.draw(row.parameters(inputs)))


ELEMENTWISE = [name for name, gate in CATALOGUE.items() if len(gate.vjps) == 1 and gate(np.ones((2, 3))).shape == (2, 3)]


@pytest.mark.parametrize("name", ELEMENTWISE)
@settings(derandomize=True, deadline=None, max_examples=25)
@given(data=st.data())
def test_elementwise_gates_keep_relative_precision_entry_by_entry(name: str, data: st.DataObject) -> None:
    (x,) = data.draw(ROWS[name].inputs)
    leaf = variable(x)
    f = gates.summation(CATALOGUE[name](leaf))
    np.testing.assert_allclose(backward(f)[leaf], complex_step(f, leaf), rtol=RTOL, atol=0)


@pytest.mark.parametrize("factor", [1 + 1e-9, -1.0, 0.0])
def test_a_wrong_derivative_is_found(factor: float) -> None:
    for name in ("multiply", "tanh", "logsumexp"):
        gate = CATALOGUE[name]
        vjps = tuple(lambda *args, vjp=vjp, **settings_: factor * vjp(*args, **settings_) for vjp in gate.vjps)
        broken = Gate("broken", gate.forward, vjps, rule="", source="")
        inputs = [np.array([0.3, -0.8])] * len(vjps)
        check(gate, inputs, {})
        with pytest.raises(AssertionError):
            check(broken, inputs, {})


def slope(gate: Gate, *point: float, index: int = 0, **parameters: Any) -> float:
    leaves = [variable(value) for value in point]
    return float(backward(gate(*leaves, **parameters))[leaves[index]])


def test_conventions_where_there_is_no_derivative() -> None:
    for gate in (gates.maximum, gates.minimum):
        assert [slope(gate, 2.0, 2.0, index=index) for index in (0, 1)] == [0.5, 0.5]
    assert slope(gates.relu, 0.0) == 0.0
    assert slope(gates.absolute, 0.0) == 0.0
    assert slope(gates.leaky_relu, 0.0) == 0.1
    assert slope(gates.leaky_relu, 0.0, alpha=0.3) == 0.3
    assert slope(gates.elu, 0.0, alpha=0.7) == 0.7
    assert slope(gates.sqrt, 0.0) == np.inf
    assert slope(gates.power, 0.0, 0.0) == 0.0
    assert slope(gates.power, 0.0, 2.0, index=1) == 0.0
    assert np.isnan(slope(gates.power, -2.0, 2.0, index=1))
    x = variable(0.0)
    with np.errstate(invalid="ignore"):
        assert np.isnan(backward(gates.sqrt(x * x))[x])  # inf · 0: √(x²) is no way to write |x|


def test_every_convention_is_stated() -> None:
    stated = {name for name, gate in CATALOGUE.items() if gate.convention}
    assert stated == {"max", "min", "relu", "abs", "leaky_relu", "elu", "sqrt", "power"}


@pytest.mark.parametrize(("base", "exponent"), [(-2.0, 3.0), (-2.0, 2.0), (0.0, 2.0), (0.0, 1.0), (-1.5, -2.0), (-3.0, 1.0)])
def test_whole_powers_of_any_base(base: float, exponent: float) -> None:
    x = variable(base)
    f = x**exponent
    np.testing.assert_allclose(backward(f)[x], exponent * base ** (exponent - 1), rtol=1e-15, atol=0)
    np.testing.assert_allclose(complex_step(f, x), exponent * base ** (exponent - 1), rtol=1e-13, atol=0)


@pytest.mark.parametrize("x", [-750.0, -40.0, 0.0, 40.0, 750.0])
def test_saturation_costs_neither_overflow_nor_precision(x: float) -> None:
    small = math.exp(-abs(x)) if abs(x) < 700 else 0.0
    assert slope(gates.sigmoid, x) == pytest.approx(small / (1 + small) ** 2, rel=1e-14, abs=0)
    squared = math.exp(-2 * abs(x)) if abs(x) < 350 else 0.0
    assert slope(gates.tanh, x) == pytest.approx(4 * squared / (1 + squared) ** 2, rel=1e-14, abs=0)
    assert np.isfinite(gates.softplus(x).value)
    assert gates.logsumexp([x, x]).value == pytest.approx(x + math.log(2), rel=1e-14)


def test_known_values() -> None:
    assert gates.sigmoid(0.0).value == 0.5
    assert gates.softplus(0.0).value == pytest.approx(np.log(2), rel=1e-15)
    assert gates.erf(1.0).value == pytest.approx(0.8427007929497149, rel=1e-15)
    assert gates.squared_norm([3.0, 4.0]).value == 25.0
    assert gates.mean([[1.0, 2.0], [3.0, 6.0]], axis=0).value.tolist() == [2.0, 4.0]
    assert gates.elu(-1.0).value == pytest.approx(np.expm1(-1), rel=1e-15)
    assert gates.leaky_relu(-2.0).value == -0.2
    assert gates.softmax_cross_entropy([1.0, 1.0], [0.0, 1.0]).value == pytest.approx(np.log(2), rel=1e-15)


def test_nan_is_not_swallowed_by_a_router() -> None:
    for gate in (gates.maximum, gates.minimum):
        assert np.isnan(gate(np.nan, 1.0).value)
        assert np.isnan(gate(1.0, np.nan).value)
    assert np.isnan(gates.relu(np.nan).value)


def test_roles_do_what_they_are_called() -> None:
    g = 2.5
    for name, gate in CATALOGUE.items():
        if gate.role and len(gate.vjps) == 2 and name != "matmul":
            x, y = variable(3.0), variable(-4.0)
            shares = backward(gate(x, y), seed=g)
            received = (float(shares[x]), float(shares[y]))
            if gate.role == "distribute":
                assert tuple(map(abs, received)) == (g, g)
            elif gate.role == "switch":
                assert received == (g * -4.0, g * 3.0)
            else:
                assert sorted(received) == [0.0, g]
