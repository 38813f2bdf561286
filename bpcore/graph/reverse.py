"""Reverse-mode differentiation: from one root down to every node that it depends on.

Source: Linnainmaa 1976; Griewank & Walther, Evaluating Derivatives (2008), ch. 3.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from bpcore.graph.node import Array, Node


def topological_order(root: Node, stop: Iterable[Node] = ()) -> list[Node]:
    """List the nodes that root depends on, inputs before outputs, each once; root is last.

    Iterative, so that a chain may be longer than Python's stack is deep.

    Args:
        root: where to start.
        stop: nodes whose inputs are not followed.

    Returns:
        Nodes in the order of a depth-first walk.
    """
    order: list[Node] = []
    done: set[Node] = set()
    ends = set(stop)
    stack = [(root, False)]
    while stack:
        node, inputs_done = stack.pop()
        if inputs_done:
            order.append(node)
        elif node not in done:
            done.add(node)
            stack.append((node, True))
            if node not in ends:
                stack.extend((parent, False) for parent in reversed(node.inputs) if parent not in done)
    return order


def varying(order: Iterable[Node]) -> set[Node]:
    """Return those of the nodes that depend on a variable; `order` lists inputs before outputs."""
    found: set[Node] = set()
    for node in order:
        if (node.gate is None and not node.constant) or any(parent in found for parent in node.inputs):
            found.add(node)
    return found


def unbroadcast(gradient: Array, shape: tuple[int, ...]) -> Array:
    """Sum a gradient over the axes along which broadcasting repeated an input.

    Args:
        gradient: of the output's shape.
        shape: of the input.

    Returns:
        The gradient, of the input's shape.
    """
    gradient = np.asarray(gradient)
    leading = gradient.ndim - len(shape)
    if leading < 0:  # a reduction may hand its g on as it is: every entry receives it
        return np.broadcast_to(gradient, shape)
    if leading > 0:
        gradient = gradient.sum(axis=tuple(range(leading)))
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1 and gradient.shape[axis] != 1)
    return gradient.sum(axis=stretched, keepdims=True) if stretched else np.broadcast_to(gradient, shape)


def pull_back(node: Node, index: int, gradient: Array) -> Array:
    """Return what one input of a gate receives: g · ∂out/∂input, in the input's shape.

    Args:
        node: the output of a gate.
        index: which input.
        gradient: g = ∂f/∂out, of the output's shape.

    Returns:
        The contribution of this edge to ∂f/∂input.
    """
    assert node.gate is not None
    vjp = node.gate.vjps[index]
    contribution = vjp(gradient, node.value, *(parent.value for parent in node.inputs), **node.parameters)
    return unbroadcast(contribution, node.inputs[index].shape)


def backward(root: Node, seed: npt.ArrayLike | None = None) -> dict[Node, Array]:
    """Differentiate root with respect to every node that it depends on, constants apart.

    ∂f/∂u = Σ_v ∂f/∂v · ∂v/∂u over the uses v of u, from the root down. Pure: nothing is stored in the nodes, and a
    second call returns the same.

    Args:
        root: f, a scalar.
        seed: ∂f/∂root, of root's shape, if root is not itself the f; required for a root that is not scalar.

    Returns:
        {node: ∂f/∂node}, each of its node's shape; root itself is there with the seed.

    Raises:
        ValueError: root is not scalar and no seed is given, or the seed has another shape than root.

    Source: Griewank & Walther 2008, §3.2.
    """
    if seed is None and root.shape != ():
        raise ValueError(f"backward from a node of shape {root.shape}, expected a scalar: sum it first, or give a seed of its shape")
    start = np.ones(()) if seed is None else np.asarray(seed)
    if start.shape != root.shape:
        raise ValueError(f"the seed has shape {start.shape}, expected that of the root, {root.shape}")
    order = topological_order(root)
    moving = varying(order)
    gradients: dict[Node, Array] = {root: start}
    for node in reversed(order):
        if node.gate is None or node not in moving:
            continue
        for index, parent in enumerate(node.inputs):
            if parent in moving:
                contribution = pull_back(node, index, gradients[node])
                known = gradients.get(parent)
                gradients[parent] = contribution if known is None else known + contribution
    return {node: np.array(gradients[node]) for node in order if node in gradients}  # copies: a gate may hand g on as it is
