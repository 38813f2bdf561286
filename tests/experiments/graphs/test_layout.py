"""The layout: inputs left of outputs, nothing on top of anything, few crossings."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.graphs.layout import Placement, Size, crossings, increasing, place

Graph = dict[int, list[int]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Draw a graph whose nodes all lead to the last one."""
    count = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    leaves = max(1, count // 3)
    inputs: Graph = {node: [] for node in range(leaves)}
    for node in range(leaves, count):
        inputs[node] = [int(rng.integers(node)) for _ in range(rng.integers(1, 4))]
    used = {operand for operands in inputs.values() for operand in operands}
    inputs[count] = [node for node in range(count) if node not in used]
    return inputs


def boxes(inputs: Graph, sizes: dict[int, Size], placed: Placement[int]) -> dict[int, tuple[float, float, float, float]]:
    return {
        node: (
            placed.left[node],
            placed.middle[node] - sizes[node].height / 2,
            placed.left[node] + sizes[node].width,
            placed.middle[node] + sizes[node].height / 2,
        )
        for node in inputs
    }


def some_sizes(inputs: Graph) -> dict[int, Size]:
    return {node: Size(30 + 17 * (node % 4), 20 + 11 * (node % 3)) for node in inputs}


@settings(derandomize=True, deadline=None, max_examples=50)
@given(graphs())
def test_no_two_nodes_overlap_and_edges_run_to_the_right(inputs: Graph) -> None:
    sizes = some_sizes(inputs)
    placed = place(inputs, sizes)
    found = boxes(inputs, sizes, placed)
    for (a, one), (b, other) in combinations(found.items(), 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] + 1e-9 or other[3] <= one[1] + 1e-9
        assert apart, f"{a} and {b} overlap"
    for node, operands in inputs.items():
        for operand in operands:
            assert placed.end[operand] < placed.left[node]
    for box in found.values():
        assert min(box) >= -1e-9
        assert box[2] <= placed.width + 1e-9
        assert box[3] <= placed.height + 1e-9


@settings(derandomize=True, deadline=None, max_examples=50)
@given(graphs())
def test_edges_run_around_the_nodes_of_the_layers_they_cross(inputs: Graph) -> None:
    sizes = some_sizes(inputs)
    placed = place(inputs, sizes)
    found = boxes(inputs, sizes, placed)
    for (user, index), points in placed.route.items():
        operand = inputs[user][index]
        assert points[0] == (placed.end[operand], placed.middle[operand])
        assert points[-1] == (placed.left[user], placed.middle[user])
        assert all(before[0] < after[0] for before, after in pairwise(points))
        for number, (start, end) in enumerate(pairwise(points)):
            if number % 2:  # the straight part, through a layer
                assert start[1] == end[1]
                for node, box in found.items():
                    outside = box[2] <= start[0] or box[0] >= end[0] or box[3] <= start[1] or box[1] >= start[1]
                    assert outside, f"edge to {user} runs through {node}"


@settings(derandomize=True, deadline=None, max_examples=30)
@given(st.integers(0, 2**31), st.integers(0, 12))
def test_crossings_are_counted_as_brute_force_counts_them(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    edges = [(int(rng.integers(5)), int(rng.integers(5))) for _ in range(count)]
    brute = sum((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(edges, 2))
    assert crossings([[None], [None]], [edges]) == brute


def drawn_crossings(inputs: Graph) -> int:
    placed = place(inputs, dict.fromkeys(inputs, Size(20, 20)))
    segments = [tuple(pairwise(points)) for points in placed.route.values()]
    flat = [segment for parts in segments for segment in parts]
    return sum(
        one[0][0] == other[0][0] and (one[0][1] - other[0][1]) * (one[1][1] - other[1][1]) < 0 for one, other in combinations(flat, 2)
    )


def test_a_tree_is_drawn_without_crossings() -> None:
    tree = {node: [] for node in range(8)} | {8: [0, 4], 9: [5, 1], 10: [2, 6], 11: [7, 3], 12: [10, 8], 13: [9, 11], 14: [13, 12]}
    assert drawn_crossings(tree) == 0


def test_a_planar_graph_given_in_a_bad_order_is_untangled() -> None:
    assert drawn_crossings({0: [], 1: [], 2: [], 3: [1, 0], 4: [2, 1], 5: [4, 3]}) == 0


def test_a_leaf_stands_next_to_its_first_use() -> None:
    inputs: Graph = {0: [], 1: [0], 2: [1], 3: [], 4: [2, 3]}
    placed = place(inputs, dict.fromkeys(inputs, Size(20, 20)))
    assert placed.left[3] == placed.left[2] > placed.left[1]


def test_a_single_node_and_the_same_layout_twice() -> None:
    assert place({0: []}, {0: Size(30, 20)}).width == 30
    inputs: Graph = {0: [], 1: [], 2: [0, 1], 3: [2, 0]}
    assert place(inputs, some_sizes(inputs)) == place(inputs, some_sizes(inputs))


def test_a_long_edge_is_straight_where_there_is_room() -> None:
    # products summed up one after the other: each waits longer for its turn than the one before
    products = {node: [] for node in range(8)} | {8 + k: [k] for k in range(8)}
    inputs: Graph = products | {16: [8, 9]} | {16 + k: [15 + k, 9 + k] for k in range(1, 7)}
    placed = place(inputs, dict.fromkeys(inputs, Size(30, 20)))
    for points in placed.route.values():
        assert len({y for _, y in points[1:-1]}) <= 1


@pytest.mark.parametrize("length", [400])
def test_long_chains_are_laid_out(length: int) -> None:
    inputs: Graph = {0: []} | {node: [node - 1] for node in range(1, length)}
    placed = place(inputs, dict.fromkeys(inputs, Size(20, 20)))
    assert len(set(placed.middle.values())) == 1


@pytest.mark.parametrize("seed", range(20))
def test_heights_are_scipys_isotonic_regression_to_the_bit(seed: int) -> None:
    from scipy.optimize import isotonic_regression

    rng = np.random.default_rng(seed)
    values = rng.normal(scale=9, size=rng.integers(1, 15))
    values = np.round(values) if seed % 2 else values  # ties too
    weights = rng.choice([0.5, 1.0, 8.0], size=values.size)
    assert increasing(values.tolist(), weights.tolist()) == isotonic_regression(values, weights=weights).x.tolist()
