"""Tell a graph's forward and backward pass in words, one step a gate, with the numbers of the case at hand."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bpcore.graph.node import Array, Node
from bpcore.graph.paths import local_derivative
from bpcore.graph.reverse import pull_back, topological_order
from experiments.graphs.text import MOST_SHOWN, operation, rows
from experiments.text.numbers import number


@dataclass(frozen=True)
class Step:
    """Hold one step of a derivation.

    Args:
        formula: what is computed.
        reason: why, in words.
    """

    formula: str
    reason: str


def forward_steps(root: Node, label: Mapping[Node, str]) -> list[Step]:
    """Tell the forward pass: every gate with its value.

    Args:
        root: of the graph.
        label: from `names(root)`.

    Returns:
        Inputs before outputs.
    """
    return [
        Step(f"{label[node]} = {operation(node, label)} = {inline(node.value)}", f"gate {node.gate.name}")
        for node in topological_order(root)
        if node.gate is not None
    ]


def backward_steps(root: Node, gradients: Mapping[Node, Array], label: Mapping[Node, str]) -> list[Step]:
    """Tell the backward pass: what every gate hands to its inputs, by its role or its rule, and where uses add up.

    Args:
        root: of the graph.
        gradients: from `backward(root)`.
        label: from `names(root)`.

    Returns:
        From the root down to the variables.
    """
    f = label[root]
    order = topological_order(root)
    received: dict[Node, list[Array]] = {}
    steps = [Step(f"∂{f}/∂{f} = 1", "the root's own derivative, from which everything starts")]
    for node in reversed(order):
        if node not in gradients:
            continue
        shares = received.get(node, [])
        if len(shares) > 1:
            total = " + ".join(_bracket(inline(share)) for share in shares)
            formula = f"∂{f}/∂{label[node]} = {total} = {inline(gradients[node])}"
            steps.append(Step(formula, f"{label[node]} is used {len(shares)} times: its paths add up"))
        if node.gate is None:
            continue
        parts = []
        for index, parent in enumerate(node.inputs):
            if parent not in gradients:
                continue
            share = pull_back(node, index, gradients[node])
            received.setdefault(parent, []).append(share)
            parts.append(_share(node, index, gradients[node], share, label))
        steps.append(Step("; ".join(parts), _reason(node, gradients[node], label)))
    return steps


def inline(value: Array) -> str:
    """Write a value on one line, as it would be typed; a large one by its shape."""
    if value.ndim != 2 or max(value.shape) > MOST_SHOWN:
        return rows(value, 4)[0]
    return "[" + ", ".join("[" + ", ".join(number(float(entry), 4) for entry in row) + "]" for row in value) + "]"


def _bracket(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def _share(node: Node, index: int, arriving: Array, share: Array, label: Mapping[Node, str]) -> str:
    parent = node.inputs[index]
    if node.shape != () or parent.shape != ():
        return f"{label[parent]} receives {inline(share)}"
    local = number(float(local_derivative(node, index)), 4)
    return f"{label[parent]} receives {number(float(arriving), 4)} × {_bracket(local)} = {inline(share)}"


def _reason(node: Node, arriving: Array, label: Mapping[Node, str]) -> str:
    gate = node.gate
    assert gate is not None
    what = f"{label[node]} = {operation(node, label)}"
    if gate.role == "distribute":
        how = "distributes: the gradient goes on to every input unchanged" + (", but for the sign" if gate.operator == "-" else "")
    elif gate.role == "switch":
        how = "switches: each input receives the gradient times the other input"
        how += f" transposed, {gate.rule}" if gate.operator == "@" else ""
    elif gate.role == "route":
        how = _routing(node, label)
    else:
        how = f"passes it on by its rule, {gate.rule}"
    return f"{what}; {gate.name} {how}"


def _routing(node: Node, label: Mapping[Node, str]) -> str:
    shares = [np.asarray(pull_back(node, index, np.ones(node.shape))) for index in range(len(node.inputs))]
    if node.shape != ():
        return "routes: each entry's gradient goes to the input that it came from"
    open_ = [label[parent] for parent, share in zip(node.inputs, shares, strict=True) if share == 1]
    if open_:
        return f"routes: all of the gradient goes to {open_[0]}"
    if any(share == 0.5 for share in shares):
        return "routes: at a tie each input receives half"
    return "routes: it is closed here, nothing passes"
