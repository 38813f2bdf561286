"""Reverse-mode differentiation: what backward returns, and what it leaves alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bpcore.graph.gates import exp, log, squared_norm, summation
from bpcore.graph.node import Gate, constant, variable
from bpcore.graph.perturb import complex_step, evaluate
from bpcore.graph.reverse import backward, topological_order, unbroadcast


def test_the_lecture_example_to_the_last_digit() -> None:
    x, y, z = variable(-2), variable(5), variable(-4)
    q = x + y
    f = q * z
    gradients = backward(f)
    assert (q.value, f.value) == (3, -12)
    assert [float(gradients[node]) for node in (x, y, z, q, f)] == [-4, -4, 3, -4, 1]


def test_every_node_is_in_the_answer_but_constants() -> None:
    x = variable(2.0)
    two = constant(2.0)
    f = (x * two) + (two * two)
    assert set(backward(f)) == {x, f, f.inputs[0]}


def test_a_second_backward_gives_the_same_and_changes_nothing() -> None:
    x = variable([0.3, -0.2])
    f = squared_norm(exp(x) * x)
    first = backward(f)
    values = {node: node.value.copy() for node in topological_order(f)}
    second = backward(f)
    assert first.keys() == second.keys()
    assert all((first[node] == second[node]).all() for node in first)
    assert all((node.value == value).all() for node, value in values.items())


def test_gradients_do_not_share_memory() -> None:
    x, y = variable([1.0, 2.0]), variable([3.0, 4.0])
    f = summation(x + y)
    gradients = backward(f)
    gradients[x][0] = 99.0
    assert gradients[y].tolist() == [1.0, 1.0]
    assert backward(f)[x].tolist() == [1.0, 1.0]


@pytest.mark.parametrize("length", [10_000])
def test_a_long_chain_works(length: int) -> None:
    x = variable(1.0)
    node = x
    for _ in range(length):
        node = node * 0.999 + 0.001
    # relative to the exact power: each of the factors is rounded once
    np.testing.assert_allclose(backward(node)[x], 0.999**length, rtol=1e-11, atol=0)
    assert evaluate(node, {x: 1.0}) == node.value


def test_a_node_used_twice_gets_the_sum_over_its_paths() -> None:
    x = variable(3.0)
    assert backward(x * x)[x] == 6.0
    assert backward(x + x + x)[x] == 3.0
    q = x * x
    assert backward(q * q + q)[x] == 4 * 27.0 + 6.0


def test_twenty_doublings_are_instant_though_they_have_a_million_paths() -> None:
    x = variable(1.0)
    node = x
    for _ in range(20):
        node = node + node
    assert backward(node)[x] == 2.0**20


def test_a_root_that_is_a_leaf() -> None:
    x = variable(3.0)
    assert backward(x) == {x: 1.0}


def test_a_seed_carries_the_outer_derivative() -> None:
    x = variable([1.0, 2.0, 3.0])
    out = x * x
    assert backward(out, seed=[1.0, 0.0, -1.0])[x].tolist() == [2.0, 0.0, -6.0]


def test_a_root_that_is_no_scalar_is_refused() -> None:
    x = variable([1.0, 2.0])
    with pytest.raises(ValueError, match=r"shape \(2,\), expected a scalar"):
        backward(x * x)
    with pytest.raises(ValueError, match=r"seed has shape \(3,\), expected that of the root, \(2,\)"):
        backward(x * x, seed=np.ones(3))


@settings(derandomize=True, deadline=None, max_examples=60)
@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
def test_unbroadcast_is_the_transpose_of_broadcasting(shapes: hnp.BroadcastableShapes) -> None:
    rng = np.random.default_rng(0)
    shape, result = shapes.input_shapes[0], shapes.result_shape
    x, g = rng.integers(-9, 9, shape).astype(float), rng.integers(-9, 9, result).astype(float)
    # ⟨broadcast x, g⟩ = ⟨x, unbroadcast g⟩, exactly, as whole numbers are
    assert (np.broadcast_to(x, result) * g).sum() == (x * unbroadcast(g, shape)).sum()
    assert unbroadcast(g, shape).shape == shape


def test_a_lazy_reduction_hands_one_g_to_every_entry() -> None:
    total = Gate("total", np.sum, (lambda g, out, x: g,), rule="", source="")
    for shape in ((3,), (3, 1), (2, 3), ()):
        x = variable(np.ones(shape))
        assert (backward(total(x) * 2)[x] == np.full(shape, 2.0)).all()


def test_complex_values_pass_backward_too_and_give_second_derivatives() -> None:
    h = 1e-30
    x = variable(0.7 + 1j * h)
    second = backward(exp(x * x))[x].imag / h
    np.testing.assert_allclose(second, (2 + 4 * 0.49) * np.exp(0.49), rtol=1e-14, atol=0)


def test_a_wrong_vjp_is_found_by_complex_step() -> None:
    wrong = Gate("wrong", np.log, (lambda g, out, x: g / x * (1 + 1e-9),), rule="", source="")
    x = variable(1.7)
    for gate, agrees in ((log, True), (wrong, False)):
        f = gate(x)
        assert bool(abs(backward(f)[x] / complex_step(f, x) - 1) < 1e-12) == agrees


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(0, 2**31), st.integers(2, 25))
def test_random_graphs_agree_with_complex_step(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    leaves = [variable(rng.uniform(0.5, 1.5, shape)) for shape in ((), (3,), (2, 1), (2, 3))]
    nodes = list(leaves)
    for _ in range(size):
        a, b = nodes[rng.integers(len(nodes))], nodes[rng.integers(len(nodes))]
        nodes.append([a + b, a - b, a * b, a / (b * b + 1), exp(-a * a), log(a * a + 1)][rng.integers(6)])
    f = summation(nodes[-1] * nodes[-1])
    gradients = backward(f)
    for leaf in leaves:
        if leaf in gradients:
            step = complex_step(f, leaf)
            scale = max(abs(step).max(), abs(f.value) * 1e-3, 1e-300)  # terms of f's size may cancel in a derivative
            assert abs(gradients[leaf] - step).max() <= 1e-11 * scale
