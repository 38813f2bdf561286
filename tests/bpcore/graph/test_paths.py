"""Paths, their products, and what reverse mode saves."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpcore.graph.gates import exp, multiply, squared_norm, summation
from bpcore.graph.node import Node, constant, variable
from bpcore.graph.paths import count, local_derivative, paths
from bpcore.graph.perturb import complex_step
from bpcore.graph.reverse import backward


def test_the_three_paths_of_the_lecture() -> None:
    x1, x2 = variable(1.0, "x1"), variable(2.0, "x2")
    y = (x1 + x2) ** 2 * x2**2 + x2
    found = paths(y, x2)
    assert [[float(factor) for factor in path.factors] for path in found] == [[1, 4, 6, 1], [1, 9, 4], [1]]
    assert [float(path.product) for path in found] == [24, 36, 1]
    assert all(path.nodes[0] is y and path.nodes[-1] is x2 for path in found)
    assert sum(float(path.product) for path in found) == backward(y)[x2] == 61


def test_an_edge_is_a_use_so_x_times_x_has_two_paths() -> None:
    x = variable(3.0)
    found = paths(x * x, x)
    assert [float(path.product) for path in found] == [3.0, 3.0]


def random_graph(seed: int, size: int, shapes: list[tuple[int, ...]]) -> tuple[Node, list[Node]]:
    rng = np.random.default_rng(seed)
    leaves = [variable(rng.uniform(0.5, 1.5, shape)) for shape in shapes]
    nodes = list(leaves)
    for _ in range(size):
        a, b = nodes[rng.integers(max(0, len(nodes) - 4), len(nodes))], nodes[rng.integers(len(nodes))]
        nodes.append([a + b, a * b, a - b * b, exp(-a)][rng.integers(4)])
    return summation(nodes[-1]) if nodes[-1].shape else nodes[-1] * 1.5, leaves


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(0, 2**31), st.integers(1, 9))
def test_path_products_sum_to_the_gradient(seed: int, size: int) -> None:
    for shapes in ([(), (), ()], [(2,), (), (3, 2)]):
        root, leaves = random_graph(seed, size, shapes)
        gradients = backward(root)
        for leaf in leaves:
            found = paths(root, leaf)
            assert len(found) == count(root, leaf).paths
            if leaf in gradients:
                total, size_ = sum(path.product for path in found), sum(abs(path.product) for path in found)
                assert (abs(total - gradients[leaf]) <= 1e-12 * size_).all()
            else:
                assert not found


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(0, 2**31), st.integers(1, 9))
def test_counts_equal_those_of_the_listed_paths(seed: int, size: int) -> None:
    root, leaves = random_graph(seed, size, [(), (), ()])
    listed = [path for leaf in leaves for path in paths(root, leaf)]
    counted = count(root)
    assert counted.paths == len(listed)
    assert counted.path_by_path == sum(max(0, len(path.factors) - 1) for path in listed)
    # reverse mode multiplies once per edge on the way to a variable, but for the edges at the root
    edges = {(user, index) for path in listed for user, index in steps(path.nodes) if user is not root}
    assert counted.reverse >= len(edges) // 2
    assert counted.reverse == len({(user, index) for user, index in all_edges(root, set(leaves)) if user is not root})


def steps(nodes: tuple[Node, ...]) -> list[tuple[Node, int]]:
    return [(user, user.inputs.index(parent)) for user, parent in pairwise(nodes)]


def all_edges(node: Node, leaves: set[Node]) -> list[tuple[Node, int]]:
    """Return every edge below a node that leads to a leaf, by plain recursion."""
    found = []
    for index, parent in enumerate(node.inputs):
        below = all_edges(parent, leaves)
        if parent in leaves or below:
            found += [(node, index), *below]
    return found


def test_a_million_paths_are_counted_not_walked() -> None:
    x = variable(1.0)
    node = x
    for _ in range(20):
        node = node + node
    counted = count(node)
    assert (counted.paths, counted.path_by_path, counted.reverse) == (2**20, 19 * 2**20, 38)
    with pytest.raises(ValueError, match="1048576 paths from the root"):
        paths(node, x)
    for _ in range(300):
        node = node + node
    assert count(node).paths == 2**320  # exact, beyond any float


def test_reverse_mode_never_costs_more() -> None:
    for seed in range(30):
        root, _ = random_graph(seed, 8, [(), (), ()])
        counted = count(root)
        assert counted.reverse <= counted.path_by_path


def test_one_local_derivative_is_used_for_each_edge() -> None:
    x, y = variable(3.0), variable(4.0)
    product = x * y
    assert local_derivative(product, 0) == 4.0
    assert local_derivative(product, 1) == 3.0


def test_between_arrays_local_derivatives_are_jacobians() -> None:
    w, x = variable([[0.1, 0.5], [-0.3, 0.8]]), variable([0.2, 0.4])
    q = w @ x
    f = squared_norm(q)
    assert (local_derivative(q, 1) == w.value).all()
    (path,) = paths(f, x)
    assert [factor.shape for factor in path.factors] == [(1, 2), (2, 2)]
    np.testing.assert_allclose(path.product, [-0.112, 0.636], rtol=1e-14, atol=0)
    (path,) = paths(f, w)
    np.testing.assert_allclose(path.product, complex_step(f, w), rtol=1e-14, atol=0)


def test_paths_start_at_a_scalar() -> None:
    x = variable([1.0, 2.0])
    with pytest.raises(ValueError, match="expected a scalar"):
        paths(x * x, x)


def test_the_root_itself_is_a_path_without_edges() -> None:
    x = variable(2.0)
    (path,) = paths(x, x)
    assert path.nodes == (x,)
    assert path.product == backward(x)[x] == 1.0
    assert count(x).path_by_path == 0


def test_no_path_to_a_stranger_and_none_counted_to_constants() -> None:
    x = variable(2.0)
    root = x * constant(3.0)
    assert paths(root, variable(1.0)) == []
    assert count(root).paths == 1


def test_long_chains_have_their_path() -> None:
    x = variable(1.0)
    node = x
    for _ in range(2000):
        node = multiply(node, 0.999)
    (path,) = paths(node, x)
    assert len(path.factors) == 2000
    assert math.isclose(float(path.product), 0.999**2000, rel_tol=1e-12)
