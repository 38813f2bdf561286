"""Composite gates: a subgraph collapsed into one gate, and expanded again.

A composite gate carries its subgraph as its `expansion`. Built by `composite` or `collapse`, it differentiates that
subgraph; written in `gates` with a vjp of its own (sigmoid, tanh, …) it is the same function twice, and expanding it
must not change a number.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from bpcore.graph.node import Array, Gate, Node, variable
from bpcore.graph.reverse import backward, topological_order, varying


def composite(name: str, build: Callable[..., Node], arity: int = 1, symbol: str = "") -> Gate:
    """Make one gate of a subgraph.

    Its value is the subgraph's, its vjp the subgraph's own backward pass.

    Args:
        name: of the gate.
        build: (*nodes, **parameters) -> node, the subgraph.
        arity: number of inputs.
        symbol: what a drawing writes into the gate; the name if empty.

    Returns:
        A gate that `expand` opens again.
    """

    def forward(*values: Array, **parameters: Any) -> Array:
        return build(*(variable(value) for value in values), **parameters).value

    def pull(index: int) -> Callable[..., Array]:
        def vjp(g: Array, out: Array, *values: Array, **parameters: Any) -> Array:
            inputs = [variable(value) for value in values]
            gradients = backward(build(*inputs, **parameters), seed=g)
            return gradients.get(inputs[index], np.zeros(inputs[index].shape))

        return vjp

    vjps = tuple(pull(index) for index in range(arity))
    return Gate(name, forward, vjps, rule="the chain rule through the gates inside", source="theirs", symbol=symbol, expansion=build)


def rebuild(root: Node, replaced: Mapping[Node, Node]) -> Node:
    """Return root with some nodes replaced by others; what does not depend on them is kept, not copied.

    Args:
        root: the node wanted.
        replaced: {old: new}.

    Returns:
        Root itself if it depends on none of them.
    """
    new: dict[Node, Node] = dict(replaced)
    for node in topological_order(root, stop=replaced):
        if node not in new:
            new[node] = _with_inputs(node, [new[parent] for parent in node.inputs])
    return new[root]


def _with_inputs(node: Node, inputs: Sequence[Node]) -> Node:
    if node.gate is None or all(old is now for old, now in zip(node.inputs, inputs, strict=True)):
        return node
    return node.gate(*inputs, name=node.name, **node.parameters)


def expand(root: Node, names: Iterable[str] | None = None) -> Node:
    """Open the composite gates of a graph, and those inside them, down to simple gates.

    Args:
        root: of the graph.
        names: of the gates to open; all if None.

    Returns:
        A root of the same value. Leaves stay the same nodes, so their gradients can be asked of the new graph.
    """
    chosen = None if names is None else set(names)
    while True:
        new: dict[Node, Node] = {}
        opened = False
        for node in topological_order(root):
            inputs = [new[parent] for parent in node.inputs]
            gate = node.gate
            if gate is not None and gate.expansion is not None and (chosen is None or gate.name in chosen):
                result = gate.expansion(*inputs, **node.parameters)
                new[node] = result.named(node.name) if node.name and result not in inputs else result
                opened = True
            else:
                new[node] = _with_inputs(node, inputs)
        root = new[root]
        if not opened:
            return root


def collapse(root: Node, output: Node, inputs: Sequence[Node], name: str, symbol: str = "") -> Node:
    """Make one gate of the subgraph that leads from `inputs` to `output`.

    Nodes inside that are used outside as well stay there for those uses. Constants inside go along.

    Args:
        root: of the graph.
        output: the node that becomes the gate's output.
        inputs: the nodes that become its inputs.
        name: of the new gate.
        symbol: what a drawing writes into it; the name if empty.

    Returns:
        A root of the same value.

    Raises:
        ValueError: output depends on a variable that is not behind one of the inputs.
    """
    inside = topological_order(output, stop=inputs)
    open_ends = [node for node in inside if node.gate is None and not node.constant and node not in set(inputs)]
    if open_ends:
        names = ", ".join(node.name or "an unnamed variable" for node in open_ends)
        raise ValueError(f"collapsing `{name}` leaves {names} inside the gate: add it to `inputs`")

    def build(*nodes: Node) -> Node:
        return rebuild(output, dict(zip(inputs, nodes, strict=True)))

    gate = composite(name, build, arity=len(inputs), symbol=symbol)
    return rebuild(root, {output: gate(*inputs, name=output.name)})


def recognize(root: Node, gates: Iterable[Gate]) -> Node:
    """Replace every subgraph that is the expansion of a known gate of one input by that gate.

    1/(1+e^(−x)) becomes sigmoid(x); the terms of a sum or product may stand in either order. Larger patterns are tried
    before smaller ones, from the root down.

    Args:
        root: of the graph.
        gates: to look for; those without an expansion or with several inputs are passed over.

    Returns:
        A root of the same value. Leaves stay the same nodes.
    """
    patterns = []
    for gate in gates:
        if gate.expansion is not None and len(gate.vjps) == 1:
            hole = variable(1.0)
            patterns.append((gate, gate.expansion(hole), hole))
    patterns.sort(key=lambda entry: -len(topological_order(entry[1])))
    order = topological_order(root)
    moving = varying(order)
    found: dict[Node, tuple[Gate, Node]] = {}
    inside: set[Node] = set()
    for node in reversed(order):
        for gate, pattern, hole in patterns if node not in inside else ():
            operand = _match(pattern, hole, node)
            if operand is not None and operand in moving:
                found[node] = (gate, operand)
                inside.update(set(topological_order(node, stop=[operand])) - {operand})
                break
    new: dict[Node, Node] = {}
    for node in order:
        if node in found:
            gate, operand = found[node]
            new[node] = gate(new[operand], name=node.name)
        else:
            new[node] = _with_inputs(node, [new[parent] for parent in node.inputs])
    return new[root]


def _settings(node: Node) -> dict[str, Any]:
    """Return a gate's parameters without those that only repeat the default (no axis, no keepdims)."""
    return {key: value for key, value in node.parameters.items() if value is not None and value is not False}


def _match(pattern: Node, hole: Node, node: Node) -> Node | None:
    """Return the node that stands where the pattern has its hole, or None if they do not match."""
    bound: list[Node] = []

    def same(p: Node, n: Node) -> bool:  # recursion is as deep as the pattern, a handful
        if p is hole:
            if not bound:
                bound.append(n)
            return bound[0] is n
        if p.gate is None:
            return n.constant and n.shape == p.shape and bool((n.value == p.value).all())
        if n.gate is not p.gate or _settings(n) != _settings(p):
            return False
        orders = [n.inputs, n.inputs[::-1]] if p.gate.operator in ("+", "*") else [n.inputs]
        for order in orders:
            mark = len(bound)
            if all(same(a, b) for a, b in zip(p.inputs, order, strict=True)):
                return True
            del bound[mark:]
        return False

    return bound[0] if same(pattern, node) else None
