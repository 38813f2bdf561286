"""Draw a graph: values above the wires, gradients below, in matplotlib's SVG and PNG.

Value and gradient differ in three ways, so that neither print nor color blindness confuses them: place (above, below),
slant (upright, italic) and color (a dark green, a lighter red).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path as FilePath

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Circle, FancyBboxPatch, PathPatch
from matplotlib.path import Path
from matplotlib.text import Text
from matplotlib.textpath import TextPath

from bpcore.graph.node import Array, Gate, Node
from bpcore.graph.reverse import topological_order
from experiments.graphs.layout import Placement, Size, place
from experiments.graphs.text import rows, shape_text
from experiments.text.numbers import number

VALUE, GRADIENT = "#006d4e", "#d6402b"
INK, MUTED, WIRE = "#1f2328", "#636c76", "#8b949e"
GATE_FILL, LEAF_FILL, PAPER = "#eef1f4", "#fff6dd", "#ffffff"

_SANS, _MONO = "DejaVu Sans", "DejaVu Sans Mono"
_SIZE, _SMALL, _LINE = 9.0, 6.5, 11.0
_MONO_ADVANCE = 0.602  # of a monospaced letter, in units of the font's size
_PAD = 5.0
_MARGIN = 12.0


@dataclass
class Drawing:
    """Hold a figure and what stands for what in it.

    Args:
        figure: to be saved.
        placement: where the nodes stand.
        boxes: outline of each node.
        labels: text in each box.
        values: lines of text above each wire.
        gradients: lines of text below each wire.
        shown: the nodes that have a box; constants stand inside the gates that use them.
    """

    figure: Figure
    placement: Placement[Node]
    boxes: dict[Node, FancyBboxPatch] = field(default_factory=dict)
    labels: dict[Node, Text] = field(default_factory=dict)
    values: dict[Node, list[Text]] = field(default_factory=dict)
    gradients: dict[Node, list[Text]] = field(default_factory=dict)
    shown: list[Node] = field(default_factory=list)

    def save(self, path: FilePath, transparent: bool = False) -> None:
        """Write the figure; the format follows the file's suffix. The same graph gives the same bytes."""
        metadata: dict[str, str | None] = {"Date": None, "Creator": "gradstab"} if path.suffix == ".svg" else {"Software": "gradstab"}
        with rc_context({"svg.fonttype": "none", "svg.hashsalt": "gradstab"}):
            self.figure.savefig(path, dpi=144, metadata=metadata, transparent=transparent)


def draw(root: Node, gradients: Mapping[Node, Array], label: Mapping[Node, str], shapes: bool = False) -> Drawing:
    """Draw the graph below a root.

    Args:
        root: of the graph.
        gradients: from `backward(root)`.
        label: from `names(root)`.
        shapes: whether to write each node's shape under its box.

    Returns:
        The drawing, not yet saved.
    """
    order = topological_order(root)
    shown = [node for node in order if node in gradients or not _folded(node, order)]
    boxes = {node: _Box(node, gradients.get(node), label, shapes) for node in shown}
    inputs = {node: [parent for parent in node.inputs if parent in boxes] for node in shown}
    placement = place(inputs, {node: box.size for node, box in boxes.items()})
    width, height = placement.width + 2 * _MARGIN, placement.height + 2 * _MARGIN + _LINE
    figure = Figure(figsize=(width / 72, height / 72), facecolor=PAPER)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(-_MARGIN, placement.width + _MARGIN)
    axes.set_ylim(placement.height + _MARGIN + _LINE, -_MARGIN)
    drawing = Drawing(figure, placement, shown=shown)
    uses = dict.fromkeys(shown, 0)
    for node in shown:
        for index, parent in enumerate(inputs[node]):
            uses[parent] += 1
            _draw_edge(axes, placement, node, index, _ports(node, inputs[node], placement, boxes[node].box_height)[index])
    for node in shown:
        boxes[node].draw(axes, placement, drawing, fork=uses[node] > 1)
    y = placement.height + _MARGIN + _LINE / 2 - 4
    _text(axes, -_MARGIN + 4, y, "value above", VALUE, _SMALL, family=_MONO)
    _text(axes, -_MARGIN + 58, y, "gradient below", GRADIENT, _SMALL, family=_MONO, italic=True)
    return drawing


def gate_label(gate: Gate, inputs: tuple[Node, ...]) -> str:
    """Write into a gate what it does, with its scalar constants, as in ``+ 1``, ``^2`` or ``max(·, 0)``."""
    symbol = gate.symbol or gate.operator or gate.name
    fixed = [_constant_text(node) if node.constant else "·" for node in inputs]
    if all(text == "·" for text in fixed):
        return symbol
    if gate.operator in ("+", "*"):  # the order does not matter: the constant goes last
        fixed = sorted(fixed, key="·".__ne__)
    if gate.operator in ("+", "-", "*", "/", "@"):
        return f"{fixed[0]} {symbol} {fixed[1]}".replace("·", "").strip()
    if gate.operator == "**":
        return f"^{fixed[1]}" if fixed[0] == "·" else f"{fixed[0]}^·"
    return f"{symbol}({', '.join(fixed)})"


def _constant_text(node: Node) -> str:
    return node.name or (number(float(node.value), 4) if node.shape == () else f"const {shape_text(node.shape)}")


def _folded(node: Node, order: list[Node]) -> bool:
    """Return whether a node without gradient is drawn inside the gates that use it; all constants but a lone root are."""
    return node.constant and node is not order[-1]


def _width(text: str, size: float, family: str = _SANS) -> float:
    if family == _MONO:
        return _MONO_ADVANCE * size * len(text)
    return float(TextPath((0, 0), text, size=size, prop=FontProperties(family=family)).get_extents().width) if text.strip() else 0.0


class _Box:
    """Measure and draw one node: box, wire, value, gradient."""

    def __init__(self, node: Node, gradient: Array | None, label: Mapping[Node, str], shapes: bool) -> None:
        self.node = node
        self.text = gate_label(node.gate, node.inputs) if node.gate else label[node]
        self.below = label[node] if node.gate else ""
        if shapes and node.shape:
            self.below = f"{self.below} ({shape_text(node.shape)})".strip()
        digits = 3 if node.value.ndim > 1 else 4  # matrices are wide
        self.value = rows(node.value, digits, most=6)
        self.gradient = rows(gradient, digits, most=6) if gradient is not None else []
        self.box_width = max(20.0, _width(self.text, _SIZE) + 2 * _PAD, _width(self.below, _SMALL) + 1)
        self.box_height = max(20.0, 4.0 + 12.0 * sum(1 for parent in node.inputs if not parent.constant))
        text_width = max(_width(line, _SIZE, _MONO) for line in [*self.value, *self.gradient])
        self.wire = text_width + 2 * _PAD
        lines = max(len(self.value), len(self.gradient))
        under = self.box_height / 2 + (_SMALL + 3 if self.below else 0)
        self.size = Size(self.box_width + self.wire, 2 * max(under, lines * _LINE + 3))

    def draw(self, axes: Axes, placement: Placement[Node], drawing: Drawing, fork: bool) -> None:
        node, left, y = self.node, placement.left[self.node], placement.middle[self.node]
        start, end = left + self.box_width, placement.end[node]
        axes.plot([start, end], [y, y], color=WIRE, linewidth=1, solid_capstyle="butt", zorder=1, clip_on=False)
        if fork:
            axes.add_patch(Circle((end, y), 1.8, facecolor=WIRE, edgecolor="none", zorder=2, clip_on=False))
        box = FancyBboxPatch(
            (left, y - self.box_height / 2),
            self.box_width,
            self.box_height,
            boxstyle=f"round,pad=0,rounding_size={8 if node.gate else 2}",
            facecolor=GATE_FILL if node.gate else LEAF_FILL,
            edgecolor=INK,
            linewidth=0.8,
            zorder=3,
            clip_on=False,
        )
        axes.add_patch(box)
        drawing.boxes[node] = box
        drawing.labels[node] = _text(axes, left + self.box_width / 2, y, self.text, INK, _SIZE, center=True)
        if self.below:
            _text(axes, left + self.box_width / 2, y + self.box_height / 2 + _SMALL / 2 + 1.5, self.below, MUTED, _SMALL, center=True)
        count = len(self.value)
        drawing.values[node] = [
            _text(axes, start + _PAD, y - (count - line - 0.5) * _LINE - 1, text, VALUE, _SIZE, family=_MONO)
            for line, text in enumerate(self.value)
        ]
        drawing.gradients[node] = [
            _text(axes, start + _PAD, y + (line + 0.5) * _LINE + 2, text, GRADIENT, _SIZE, family=_MONO, italic=True)
            for line, text in enumerate(self.gradient)
        ]


def _text(
    axes: Axes, x: float, y: float, text: str, color: str, size: float, family: str = _SANS, italic: bool = False, center: bool = False
) -> Text:
    return axes.text(
        x,
        y,
        text.replace(" ", "\N{NO-BREAK SPACE}"),  # SVG would fold the spaces that align a matrix
        color=color,
        fontsize=size,
        family=family,
        style="italic" if italic else "normal",
        ha="center" if center else "left",
        va="center_baseline" if center else "center",
        zorder=4,
        parse_math=False,
    )


def _ports(node: Node, inputs: list[Node], placement: Placement[Node], height: float) -> list[float]:
    """Return how far from the middle each input enters: first operand above second where that matters, else by height."""
    places = list(range(len(inputs)))
    if node.gate is not None and (node.gate.operator in ("+", "*") or node.gate.role == "route" or len(inputs) > 2):
        come_from = [placement.route[node, index][-2][1] for index in places]
        places = [sorted(places, key=come_from.__getitem__).index(index) for index in places]
    step = min(12.0, height / max(1, len(inputs)))
    return [(place_ - (len(inputs) - 1) / 2) * step for place_ in places]


def _draw_edge(axes: Axes, placement: Placement[Node], node: Node, index: int, port: float) -> None:
    points = placement.route[node, index]
    points = [*points[:-1], (points[-1][0], points[-1][1] + port)]
    vertices, codes = [points[0]], [Path.MOVETO]
    for number_, (start, end) in enumerate(pairwise(points)):
        if number_ % 2:  # through a layer: straight
            vertices.append(end)
            codes.append(Path.LINETO)
        else:
            middle = (start[0] + end[0]) / 2
            vertices += [(middle, start[1]), (middle, end[1]), end]
            codes += [Path.CURVE4] * 3
    path = Path(np.array(vertices), codes)
    axes.add_patch(PathPatch(path, facecolor="none", edgecolor=WIRE, linewidth=1, zorder=0, clip_on=False))
    x, y = points[-1]
    head = Path(np.array([(x - 4, y - 2.2), (x, y), (x - 4, y + 2.2)]))
    axes.add_patch(PathPatch(head, facecolor="none", edgecolor=WIRE, linewidth=1, clip_on=False))
