"""Names, numbers and expressions of a graph as text, and the table of its nodes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bpcore.graph.node import Array, Node
from bpcore.graph.reverse import topological_order
from experiments.text.numbers import number
from experiments.text.tables import TextTable

_BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "neg": 3, "**": 4, "T": 5}
_ATOM = 6

DIGITS = 6
"""Of a number in a graph's table: a reader computes along."""

MOST_SHOWN = 8  # rows or columns of an array that a table writes out


def rows(value: Array, digits: int = DIGITS, most: int = MOST_SHOWN) -> list[str]:
    """Write a value as lines: a scalar or a vector on one, a matrix on one line a row; a large one by its shape.

    Args:
        value: scalar, vector or matrix.
        digits: significant digits.
        most: rows and columns that are still written out.

    Returns:
        Lines of equal meaning to rows.
    """
    if value.ndim == 0:
        return [number(float(value), digits)]
    if value.ndim > 2 or max(value.shape) > most:
        return [f"array {shape_text(value.shape)}"]
    cells = [[number(float(entry), digits) for entry in row] for row in np.atleast_2d(value)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = ["[" + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) + "]" for row in cells]
    if value.ndim == 1:
        return [lines[0].replace("  ", ", ") if len(set(widths)) == 1 else "[" + ", ".join(cells[0]) + "]"]
    return lines


def shape_text(shape: tuple[int, ...]) -> str:
    """Write a shape as lectures do: 3×2 for a matrix, 3 for a vector, nothing for a scalar."""
    return "×".join(str(size) for size in shape)


def names(root: Node, title: str = "f") -> dict[Node, str]:
    """Name every node: variables keep theirs, the root is f, results in between are q1, q2, … as in lectures.

    Args:
        root: of the graph.
        title: of the root, if it has no name.

    Returns:
        Names, all different, inputs before outputs; constants are named by their value.
    """
    order = topological_order(root)
    taken = {node.name for node in order if node.name}
    result: dict[Node, str] = {}
    letter = next(letter for letter in ("q", "s", "u", "node") if not any(re.fullmatch(rf"{letter}\d+", name) for name in taken))
    counter = 0
    for node in order:
        if node.name:
            result[node] = node.name
        elif node.constant:
            result[node] = number(float(node.value), DIGITS) if node.shape == () else f"const({shape_text(node.shape)})"
        elif node is root:
            result[node] = title if title not in taken else f"{letter}{counter + 1}"
        else:
            counter += 1
            result[node] = f"{letter}{counter}"
    return result


def operation(node: Node, label: Mapping[Node, str]) -> str:
    """Write a gate's operation on the names of its inputs, for example ``q1 * z``; a leaf is its own name."""
    return _write(node, [(label[parent], _ATOM if not label[parent].startswith("-") else 3) for parent in node.inputs], label)[0]


def infix(root: Node, label: Mapping[Node, str]) -> str:
    """Write a whole graph as one expression; what is used twice is written twice.

    Args:
        root: of the graph.
        label: names of the leaves.

    Returns:
        The expression, in the syntax that is typed.
    """
    written: dict[Node, tuple[str, int]] = {}
    for node in topological_order(root):
        written[node] = _write(node, [written[parent] for parent in node.inputs], label)
    return written[root][0]


def _write(node: Node, inputs: list[tuple[str, int]], label: Mapping[Node, str]) -> tuple[str, int]:
    """Return the text of one node and how tightly it binds."""
    if node.gate is None:
        return label[node], 3 if label[node].startswith("-") else _ATOM
    operator = node.gate.operator
    if node.gate.name == "reciprocal":
        return f"1/{_wrap(inputs[0], 3)}", 2
    if operator == "neg":
        return f"-{_wrap(inputs[0], 3)}", 3
    if operator == "T":
        return f"{_wrap(inputs[0], _ATOM)}.T", 5
    binding = _BINDING.get(operator)
    if binding is None or len(inputs) != 2:
        settings = [f"{key}={value}" for key, value in node.parameters.items() if value is not None]
        return f"{node.gate.name}({', '.join([text for text, _ in inputs] + settings)})", _ATOM
    right_first = operator == "**"
    left = _wrap(inputs[0], binding + 1 if right_first else binding)
    right = _wrap(inputs[1], binding if right_first else binding + 1)
    space = " " if binding == 1 else ""
    return f"{left}{space}{operator}{space}{right}", binding


def _wrap(part: tuple[str, int], at_least: int) -> str:
    text, binding = part
    return text if binding >= at_least else f"({text})"


@dataclass(frozen=True)
class Row:
    """Hold one line of the table of nodes.

    Args:
        node: what the line is about.
        name: of the node.
        expression: the gate's operation on names; empty for a leaf.
        gate: its name; variable for a leaf.
        role: distribute, route, switch or empty.
        value: of the node.
        gradient: ∂f/∂node.
    """

    node: Node
    name: str
    expression: str
    gate: str
    role: str
    value: Array
    gradient: Array


def tabulate(root: Node, gradients: Mapping[Node, Array], label: Mapping[Node, str]) -> list[Row]:
    """List the nodes, inputs before outputs; constants, which have no gradient, are left out.

    Args:
        root: of the graph.
        gradients: from `backward(root)`.
        label: from `names(root)`.

    Returns:
        One row a node.
    """
    return [
        Row(
            node,
            label[node],
            operation(node, label) if node.gate else "",
            node.gate.name if node.gate else "variable",
            node.gate.role if node.gate else "",
            node.value,
            gradients[node],
        )
        for node in topological_order(root)
        if node in gradients
    ]


def table(listed: list[Row], title: str) -> str:
    """Write the table of nodes: name, expression, value, gradient, gate and role."""
    cells = [
        [
            [row.name],
            [row.expression],
            rows(row.value),
            rows(row.gradient),
            [f"{row.gate}, {_ROLES[row.role]}" if row.role else row.gate],
        ]
        for row in listed
    ]
    head = ["node", "expression", "value", f"∂{title}/∂node", "gate"]
    return TextTable(head, cells, frozenset({"node", "expression", "gate"})).terminal(rule=True)


_ROLES = {"distribute": "distributes", "route": "routes", "switch": "switches"}
