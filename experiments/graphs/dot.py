"""Write a graph as Graphviz DOT text, with the same labels and colors as the drawing."""

from collections.abc import Mapping

from bpcore.graph.node import Array, Node
from bpcore.graph.reverse import topological_order
from experiments.graphs.drawing import GATE_FILL, GRADIENT, LEAF_FILL, VALUE, gate_label
from experiments.graphs.text import rows


def dot(root: Node, gradients: Mapping[Node, Array], label: Mapping[Node, str]) -> str:
    """Write the graph as DOT: one node a box, value and gradient of a node on each edge that leaves it.

    Args:
        root: of the graph.
        gradients: from `backward(root)`.
        label: from `names(root)`.

    Returns:
        Text that ``dot -Tsvg`` draws.
    """
    shown = [node for node in topological_order(root) if node in gradients]
    identity = {node: f"n{index}" for index, node in enumerate(shown)}
    lines = ["digraph {", "  rankdir=LR;", '  node [shape=box, style="rounded,filled", fontname="DejaVu Sans"];']
    lines.append('  edge [fontname="DejaVu Sans Mono", fontsize=10];')
    for node in shown:
        text = f"{gate_label(node.gate, node.inputs)}\n{label[node]}" if node.gate else label[node]
        lines.append(f"  {identity[node]} [label={_quote(text)}, fillcolor={_quote(GATE_FILL if node.gate else LEAF_FILL)}];")
    for node in shown:
        for parent in node.inputs:
            if parent in identity:
                lines.append(f"  {identity[parent]} -> {identity[node]} [label={_label(parent, gradients[parent])}];")
    lines.append("  out [shape=plaintext, style=solid, label=" + _quote("") + "];")
    lines.append(f"  {identity[root]} -> out [label={_label(root, gradients[root])}];")
    return "\n".join([*lines, "}", ""])


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _label(node: Node, gradient: Array) -> str:
    value, slope = "<br/>".join(rows(node.value, 4)), "<br/>".join(rows(gradient, 4))
    return f'<<font color="{VALUE}">{value}</font><br/><font color="{GRADIENT}"><i>{slope}</i></font>>'
