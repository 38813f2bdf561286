"""The graph evaluated anew with other values in its leaves, and the derivative that this gives without any vjp."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from bpcore.graph.node import Array, Node
from bpcore.graph.reverse import topological_order


def evaluate(root: Node, leaves: Mapping[Node, npt.ArrayLike]) -> Array:
    """Compute root anew with other values in some of its nodes; the graph itself stays as it is.

    Args:
        root: the node wanted.
        leaves: {node: value}, real or complex; mostly leaves, but any node's value can be put in its place.

    Returns:
        Root's value.
    """
    values: dict[Node, Array] = {}
    for node in topological_order(root, stop=leaves):
        if node in leaves:
            values[node] = np.asarray(leaves[node])
        elif node.gate is None:
            values[node] = node.value
        else:
            values[node] = np.asarray(node.gate.forward(*(values[parent] for parent in node.inputs), **node.parameters))
    return values[root]


def complex_step(root: Node, leaf: Node, step: float = 1e-30) -> Array:
    """Differentiate root with respect to one node by perturbing it, entry by entry, along the imaginary axis.

    ∂f/∂x_k = Im f(x + i·s·e_k)/s. Runs forward only, so it checks `backward` without sharing a derivative with it. At
    a kink (a tie of max, relu at 0) it returns one side's slope or a mixture, not the gate's convention.

    Args:
        root: f, a scalar.
        leaf: x.
        step: s > 0.

    Returns:
        ∂f/∂x, of x's shape.

    Source: Squire & Trapp 1998.
    """
    gradient = np.empty(leaf.shape)
    for index in np.ndindex(leaf.shape):
        point = leaf.value.astype(complex)
        point[index] += 1j * step
        gradient[index] = evaluate(root, {leaf: point}).imag / step
    return gradient
