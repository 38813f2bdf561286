"""Composite gates: the same numbers collapsed and expanded."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bpcore.graph import gates
from bpcore.graph.composite import collapse, composite, expand, rebuild, recognize
from bpcore.graph.gates import add, exp, multiply, negate, reciprocal, sigmoid, summation, tanh
from bpcore.graph.node import Node, variable
from bpcore.graph.reverse import backward, topological_order

COMPOSITE = {name: gate for name, gate in gates.catalogue().items() if gate.expansion is not None}


def used(root: Node) -> list[str]:
    return [node.gate.name for node in topological_order(root) if node.gate is not None]


def test_the_sigmoid_is_four_gates_or_one() -> None:
    x = variable(0.7)
    one = sigmoid(x)
    four = expand(one)
    assert used(one) == ["sigmoid"]
    assert used(four) == ["negate", "exp", "add", "reciprocal"]
    np.testing.assert_allclose(four.value, one.value, rtol=1e-15, atol=0)
    np.testing.assert_allclose(backward(four)[x], backward(one)[x], rtol=1e-14, atol=0)
    again = recognize(four, COMPOSITE.values())
    assert used(again) == ["sigmoid"]
    assert again.value == one.value
    assert backward(again)[x] == backward(one)[x]


@pytest.mark.parametrize("name", COMPOSITE)
@settings(derandomize=True, deadline=None, max_examples=20)
@given(data=st.data())
def test_expansions_give_the_same_numbers(name: str, data: st.DataObject) -> None:
    gate = COMPOSITE[name]
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=2, min_side=2, max_side=4))  # one class alone would cost exactly 0
    values = [data.draw(hnp.arrays(float, shape, elements=st.floats(0.1, 2.0))) for _ in gate.vjps]
    takes_axis = name in ("mean", "logsumexp", "softmax_cross_entropy")
    parameters: dict[str, Any] = {"axis": data.draw(st.sampled_from([0, -1]))} if takes_axis and data.draw(st.booleans()) else {}
    leaves = [variable(value) for value in values]
    one = gate(*leaves, **parameters)
    opened = expand(one)
    assert not any(COMPOSITE.get(used_name) for used_name in used(opened))
    np.testing.assert_allclose(opened.value, one.value, rtol=1e-13, atol=0)
    f, g = summation(one * one), summation(opened * opened)
    for leaf in leaves:
        expected = backward(f)[leaf]
        assert abs(backward(g)[leaf] - expected).max() <= 1e-13 * max(abs(expected).max(), abs(f.value))


def test_a_wrong_expansion_would_be_noticed() -> None:
    x = variable(0.7)
    wrong = composite("wrong", lambda node: reciprocal(exp(node) + 1))
    assert abs(backward(wrong(x))[x] / backward(sigmoid(x))[x] + 1) < 1e-15  # the sign is off


def test_expand_may_be_asked_for_some_gates_only() -> None:
    x = variable(0.3)
    root = sigmoid(x) * tanh(x)
    assert "tanh" in used(expand(root, ["sigmoid"]))
    assert "sigmoid" not in used(expand(root, ["sigmoid"]))


def test_expand_keeps_leaves_names_and_what_has_nothing_to_expand() -> None:
    x = variable(0.3, "x")
    q = x * x
    root = sigmoid(q, name="f")
    opened = expand(root)
    assert opened.name == "f"
    assert {x, q} <= set(topological_order(opened))
    assert expand(q) is q


def test_collapse_makes_one_gate_of_a_subgraph_and_expand_undoes_it() -> None:
    x, y, z = variable([1.0, 2.0], "x"), variable([0.5, -1.0], "y"), variable(3.0, "z")
    inner = exp(x * y) + x
    root = summation(inner * z)
    collapsed = collapse(root, inner, [x, y], "inner")
    assert used(collapsed) == ["inner", "multiply", "sum"]
    assert collapsed.value == root.value
    assert used(expand(collapsed)) == used(root)
    for leaf in (x, y, z):
        assert (backward(collapsed)[leaf] == backward(root)[leaf]).all()
        assert (backward(expand(collapsed))[leaf] == backward(root)[leaf]).all()


def test_collapsing_the_root_itself_and_a_shared_inner_node() -> None:
    x = variable(2.0, "x")
    q = x * x
    root = q * q + x
    whole = collapse(root, root, [x], "poly")
    assert used(whole) == ["poly"]
    assert backward(whole)[x] == backward(root)[x] == 33.0
    partly = collapse(q * exp(q), q, [x], "square")
    assert used(partly) == ["square", "exp", "multiply"]


def test_collapse_needs_every_variable_as_an_input() -> None:
    x, y = variable(1.0, "x"), variable(2.0, "y")
    root = x * y
    with pytest.raises(ValueError, match="collapsing `product` leaves y inside"):
        collapse(root, root, [x], "product")


def test_composites_nest() -> None:
    square = composite("square", lambda x: x * x)
    fourth = composite("fourth", lambda x: square(square(x)))
    x = variable(1.5)
    assert backward(fourth(x))[x] == 4 * 1.5**3
    assert used(expand(fourth(x))) == ["multiply", "multiply"]


def test_a_composite_that_ignores_an_input_gives_it_zero() -> None:
    first = composite("first", lambda x, y: x * 2, arity=2)
    x, y = variable([1.0, 2.0]), variable([3.0, 4.0, 5.0])
    assert backward(summation(first(x, y)))[y].tolist() == [0.0, 0.0, 0.0]


def test_a_composite_that_hands_its_input_on_keeps_the_leaf() -> None:
    same = composite("same", lambda x: x)
    x = variable(2.0, "x")
    root = same(x, name="y") * 3
    assert backward(root)[x] == backward(expand(root))[x] == 3.0


def test_recognize_finds_either_order_of_a_sum_and_leaves_others_alone() -> None:
    x = variable(0.4)
    for root in (reciprocal(1 + exp(-x)), reciprocal(exp(-x) + 1)):
        assert used(recognize(root, COMPOSITE.values())) == ["sigmoid"]
    for root in (reciprocal(2 + exp(-x)), reciprocal(1 + exp(x)), reciprocal(1 - exp(-x)), (1 + exp(-x)) * 2):
        assert "sigmoid" not in used(recognize(root, COMPOSITE.values()))


def test_recognize_works_inside_a_network() -> None:
    w, x = variable([[0.1, 0.5], [-0.3, 0.8]]), variable([0.2, 0.4])
    root = gates.squared_norm(reciprocal(1 + exp(-(w @ x))))
    found = recognize(root, COMPOSITE.values())
    assert used(found) == ["matmul", "sigmoid", "norm2"]
    np.testing.assert_allclose(backward(found)[w], backward(root)[w], rtol=1e-13, atol=0)


def test_rebuild_replaces_a_node_and_keeps_the_rest() -> None:
    x, y = variable(2.0), variable(5.0)
    side = y * 2
    root = x * 3 + side
    new = rebuild(root, {x: variable(4.0)})
    assert (root.value, new.value) == (16.0, 22.0)
    assert side in topological_order(new)
    assert rebuild(root, {variable(0.0): y}) is root


def test_long_chains_expand_and_collapse() -> None:
    x = variable(0.1)
    node = x
    for _ in range(3000):
        node = add(multiply(negate(node), 0.5), 1)
    expanded = expand(sigmoid(node))
    assert used(recognize(expanded, COMPOSITE.values()))[-1] == "sigmoid"
