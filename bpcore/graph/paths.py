"""The chain rule path by path, and what reverse mode saves.

∂root/∂leaf = Σ over all paths of the product of the local derivatives along it. A graph of n nodes may have 2^n paths;
reverse mode goes over each edge once, because it adds up before it multiplies on.

An edge is one use of a node: x·x has two edges from x. The local derivative of an edge is ∂out/∂input; between arrays
it is a Jacobian matrix (entries of out by entries of input, in row-major order), and the products are matrix products.
"""

from dataclasses import dataclass

import numpy as np

from bpcore.graph.node import Array, Node
from bpcore.graph.reverse import pull_back, topological_order


@dataclass(frozen=True)
class Path:
    """Hold one path from the root down to a leaf.

    Args:
        nodes: root first, leaf last.
        factors: local derivative of each edge, one fewer than nodes; matrices where an end of the edge is an array.
        product: the path's share of ∂root/∂leaf, of the leaf's shape.
    """

    nodes: tuple[Node, ...]
    factors: tuple[Array, ...]
    product: Array


@dataclass(frozen=True)
class Count:
    """Count products of local derivatives, path by path and in reverse mode.

    Args:
        paths: number of paths from the root to all variables.
        path_by_path: products if every path is multiplied out by itself: its edges less one, summed over paths.
        reverse: products in one reverse sweep: one per edge, but for the edges at the root, where ∂root/∂root = 1.
    """

    paths: int
    path_by_path: int
    reverse: int


def local_derivative(node: Node, index: int) -> Array:
    """Return ∂out/∂input of one edge.

    Args:
        node: the output of a gate.
        index: which input.

    Returns:
        A scalar where both are scalars, else the Jacobian, (entries of out, entries of input).
    """
    parent = node.inputs[index]
    if node.shape == () and parent.shape == ():
        return pull_back(node, index, np.ones(()))
    jacobian = np.empty((node.value.size, parent.value.size), dtype=node.value.dtype)
    for row, entry in enumerate(np.ndindex(node.shape)):
        unit = np.zeros(node.shape)
        unit[entry] = 1
        jacobian[row] = pull_back(node, index, unit).reshape(-1)
    return jacobian


def _edges(root: Node, order: list[Node], targets: set[Node]) -> dict[Node, list[tuple[int, Node]]]:
    """Return, for every node from which a target can be reached, the edges that lead there."""
    leading = set(targets)
    edges: dict[Node, list[tuple[int, Node]]] = {}
    for node in order:
        edges[node] = [(index, parent) for index, parent in enumerate(node.inputs) if parent in leading]
        if edges[node]:
            leading.add(node)
    return edges


def count(root: Node, leaf: Node | None = None) -> Count:
    """Count paths and products without walking the paths, of which there may be 2^n.

    Args:
        root: where the paths start.
        leaf: where they end; every variable if None.

    Returns:
        The three numbers, exact. Between arrays a product is one of matrices.
    """
    order = topological_order(root)
    leaves = [node for node in order if node.gate is None and not node.constant] if leaf is None else [leaf]
    targets = set(leaves) & set(order)
    edges = _edges(root, order, targets)
    paths = dict.fromkeys(order, 0)
    lengths = dict.fromkeys(order, 0)  # edges, summed over the paths from the root to the node
    paths[root] = 1
    reverse = 0
    for node in reversed(order):
        for _, parent in edges[node] if paths[node] else ():
            paths[parent] += paths[node]
            lengths[parent] += lengths[node] + paths[node]
            reverse += node is not root
    total = sum(paths[node] for node in targets)
    return Count(total, sum(lengths[node] - paths[node] for node in targets if lengths[node]), reverse)


def paths(root: Node, leaf: Node, limit: int = 10_000) -> list[Path]:
    """List every path from root down to a leaf with its product of local derivatives.

    The products sum to ∂root/∂leaf.

    Args:
        root: f, a scalar.
        leaf: any node below it.
        limit: most paths to list.

    Returns:
        Paths in the order of the gates' inputs; none if root does not depend on leaf; one, without edges, if it is leaf.

    Raises:
        ValueError: root is not scalar, or there are more paths than `limit`.
    """
    if root.shape != ():
        raise ValueError(f"paths from a node of shape {root.shape}, expected a scalar: sum it first")
    number = count(root, leaf).paths
    if number > limit:
        raise ValueError(f"there are {number} paths from the root to `{leaf.name or 'the leaf'}`, expected at most {limit}: raise `limit`")
    edges = _edges(root, topological_order(root), {leaf})
    local: dict[tuple[Node, int], Array] = {}  # an edge may lie on many paths
    found: list[Path] = []
    stack: list[tuple[tuple[Node, ...], tuple[Array, ...]]] = [((root,), ())]
    while stack:
        nodes, factors = stack.pop()
        if nodes[-1] is leaf:
            found.append(Path(nodes, factors, _multiply(factors).reshape(leaf.shape)))
            continue
        for index, parent in reversed(edges[nodes[-1]]):
            edge = (nodes[-1], index)
            if edge not in local:
                local[edge] = local_derivative(*edge)
            stack.append(((*nodes, parent), (*factors, local[edge])))
    return found


def _multiply(factors: tuple[Array, ...]) -> Array:
    """Multiply from the root down, the row vector first: each product is then vector times matrix, as in reverse mode."""
    product: Array = np.ones(())
    for factor in factors:
        product = product * factor if factor.ndim == 0 else product.reshape(1, -1) @ factor
    return product
