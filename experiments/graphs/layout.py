"""Place the nodes of a graph in layers, inputs left and root right, with few crossings and no overlaps.

The method is Sugiyama's: layers by longest path, a dummy wherever an edge passes through a layer, order within a layer
by barycenters, heights by least squares under the minimal distances. Pure geometry: it knows of no values and draws
nothing. Lengths are in points, y grows downward.

Source: Sugiyama, Tagawa & Toda 1981; the least-squares step is isotonic regression (Ayer et al. 1955).
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Generic, TypeVar

N = TypeVar("N", bound=Hashable)

_SWEEPS = 24
_DUMMY_HEIGHT = 7.0


@dataclass(frozen=True)
class Size:
    """Hold the room that a node needs.

    Args:
        width: of the box with its wire and labels.
        height: of the higher of both, centered on the wire.
    """

    width: float
    height: float


@dataclass(frozen=True)
class Placement(Generic[N]):
    """Hold where everything stands.

    Args:
        left: x of a node's left edge.
        middle: y of a node's wire.
        end: x where the wire of a node ends and its edges leave.
        route: points that an edge, that is a (user, input index), passes, from the wire's end to the user's left edge; the
            last one has the user's own y, ports are the drawing's business.
        width: of everything.
        height: of everything.
    """

    left: dict[N, float]
    middle: dict[N, float]
    end: dict[N, float]
    route: dict[tuple[N, int], list[tuple[float, float]]]
    width: float
    height: float


@dataclass(eq=False)
class _Cell:
    """Stand for a node or a dummy in its layer."""

    height: float
    before: list["_Cell"] = field(default_factory=list)
    after: list["_Cell"] = field(default_factory=list)
    y: float = 0.0
    dummy: bool = False


def place(
    inputs: Mapping[N, Sequence[N]],
    sizes: Mapping[N, Size],
    gap_x: float = 28.0,
    gap_y: float = 10.0,
) -> Placement[N]:
    """Lay out a graph.

    Args:
        inputs: of every node, nodes listed inputs before outputs; the last is the root.
        sizes: of every node.
        gap_x: room between layers, for the edges to bend.
        gap_y: least distance within a layer.

    Returns:
        Positions from (0, 0) at the top left.
    """
    layer = _layers(inputs)
    depth = max(layer.values()) + 1
    cells: dict[N, _Cell] = {node: _Cell(sizes[node].height) for node in inputs}
    columns: list[list[_Cell]] = [[] for _ in range(depth)]
    for node in inputs:
        columns[layer[node]].append(cells[node])
    chains: dict[tuple[N, int], list[_Cell]] = {}
    through: dict[tuple[N, int], _Cell] = {}  # edges of one node share their dummies, and so run together
    for user, operands in inputs.items():
        for index, operand in enumerate(operands):
            chain = []
            previous = cells[operand]
            for column in range(layer[operand] + 1, layer[user]):
                if (operand, column) not in through:
                    through[operand, column] = _Cell(_DUMMY_HEIGHT, dummy=True)
                    columns[column].append(through[operand, column])
                    _join(previous, through[operand, column])
                previous = through[operand, column]
                chain.append(previous)
            _join(previous, cells[user])
            chains[user, index] = chain
    columns = _order(columns)
    _set_heights(columns, gap_y)
    for operand in inputs:
        run = [through[operand, column] for column in range(depth) if (operand, column) in through]
        if run:
            _straighten(cells[operand].y, run, columns, gap_y)

    widths = [0.0] * depth
    for node in inputs:
        widths[layer[node]] = max(widths[layer[node]], sizes[node].width)
    starts = [sum(widths[:column]) + gap_x * column for column in range(depth)]
    ends = [start + width for start, width in zip(starts, widths, strict=True)]
    top = min(cell.y - cell.height / 2 for column in columns for cell in column)
    bottom = max(cell.y + cell.height / 2 for column in columns for cell in column)
    # leaves stand at the right of their layer, near what uses them; gates at the left, near what they use
    left = {node: starts[layer[node]] if inputs[node] else ends[layer[node]] - sizes[node].width for node in inputs}
    route: dict[tuple[N, int], list[tuple[float, float]]] = {}
    for (user, index), chain in chains.items():
        operand = inputs[user][index]
        points = [(ends[layer[operand]], cells[operand].y - top)]
        for step, cell in enumerate(chain):
            column = layer[operand] + 1 + step
            points += [(starts[column], cell.y - top), (ends[column], cell.y - top)]
        route[user, index] = [*points, (left[user], cells[user].y - top)]
    return Placement(
        left=left,
        middle={node: cells[node].y - top for node in inputs},
        end={node: ends[layer[node]] for node in inputs},
        route=route,
        width=ends[-1],
        height=bottom - top,
    )


def _join(before: _Cell, after: _Cell) -> None:
    before.after.append(after)
    after.before.append(before)


def _layers(inputs: Mapping[N, Sequence[N]]) -> dict[N, int]:
    """Return the longest distance from any leaf; leaves themselves move right, next to their first use."""
    layer: dict[N, int] = {}
    for node, operands in inputs.items():
        layer[node] = max((layer[operand] + 1 for operand in operands), default=0)
    first_use: dict[N, int] = {}
    for node, operands in inputs.items():
        for operand in operands:
            first_use[operand] = min(first_use.get(operand, layer[node]), layer[node])
    for node, operands in inputs.items():
        if not operands and node in first_use:
            layer[node] = first_use[node] - 1
    lowest = min(layer.values())
    return {node: level - lowest for node, level in layer.items()}


def crossings(columns: Sequence[Sequence[object]], edges: Sequence[Sequence[tuple[int, int]]]) -> int:
    """Count crossing pairs of edges between neighboring layers.

    Args:
        columns: layers; only their number matters.
        edges: per gap between layers, (place on the left, place on the right).

    Returns:
        The number of pairs.
    """
    total = 0
    for gap in range(len(columns) - 1):
        ordered = sorted(edges[gap])
        for place_, (_, right) in enumerate(ordered):
            total += sum(1 for before, other in ordered[:place_] if other > right and before < ordered[place_][0])
    return total


def _order(columns: list[list[_Cell]]) -> list[list[_Cell]]:
    """Order each layer by the mean place of its neighbors, sweeping both ways; keep the order with fewest crossings."""
    # start from a walk down from the root: a tree has no crossings in that order
    rank: dict[_Cell, int] = {}
    stack = columns[-1][::-1]
    while stack:
        cell = stack.pop()
        if cell not in rank:
            rank[cell] = len(rank)
            stack.extend(reversed(cell.before))
    best = columns = [sorted(column, key=lambda cell: rank.get(cell, 0)) for column in columns]
    fewest = _count(columns)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        forward = sweep % 2 == 0
        place_: dict[_Cell, float] = {cell: index for column in columns for index, cell in enumerate(column)}
        columns = list(columns)
        for number in range(len(columns)) if forward else range(len(columns) - 1, -1, -1):
            wanted = {}
            for cell in columns[number]:
                near = cell.before if forward else cell.after
                wanted[cell] = sum(place_[other] for other in near) / len(near) if near else place_[cell]
            columns[number] = sorted(columns[number], key=wanted.__getitem__)
            place_.update({cell: index for index, cell in enumerate(columns[number])})
        now = _count(columns)
        if now < fewest:
            best, fewest = columns, now
    return best


def _count(columns: list[list[_Cell]]) -> int:
    place_ = {cell: index for column in columns for index, cell in enumerate(column)}
    edges = [[(place_[cell], place_[other]) for cell in column for other in cell.after] for column in columns]
    return crossings(columns, edges)


def _set_heights(columns: list[list[_Cell]], gap: float) -> None:
    """Move every cell toward the mean of its neighbors, as far as the distances within its layer allow."""
    for column in columns:
        _spread(column, [0.0] * len(column), [1.0] * len(column), gap)
    for sweep in range(4 * _SWEEPS):
        forward = sweep % 2 == 0
        for column in columns if forward else reversed(columns):
            wanted, weights = [], []
            for cell in column:
                near = cell.before + cell.after if sweep >= _SWEEPS else (cell.before if forward else cell.after)
                pulls = [(other.y, 4.0 if cell.dummy and other.dummy else 2.0 if cell.dummy or other.dummy else 1.0) for other in near]
                total = sum(weight for _, weight in pulls)
                wanted.append(sum(y * weight for y, weight in pulls) / total if total else cell.y)
                weights.append(total or 0.1)
            _spread(column, wanted, weights, gap)


def _spread(column: list[_Cell], wanted: list[float], weights: list[float], gap: float) -> None:
    """Set y as near to the wanted heights, in weighted squares, as order and distances allow.

    With the cumulated least distances taken off, the condition is that the sequence does not decrease: isotonic regression.
    """
    offsets = [0.0]
    for above, below in pairwise(column):
        offsets.append(offsets[-1] + (above.height + below.height) / 2 + gap)
    means = increasing([target - offset for target, offset in zip(wanted, offsets, strict=True)], weights)
    for cell, mean, offset in zip(column, means, offsets, strict=True):
        cell.y = mean + offset


def increasing(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return the sequence that does not decrease and is nearest, in weighted squares: neighbors that decrease become their mean.

    This is scipy.optimize.isotonic_regression, whose import takes longer than a drawing.

    Args:
        values: one or more.
        weights: as many, > 0.

    Source: Ayer et al. 1955; Busing 2022, algorithm 1.
    """
    blocks: list[tuple[float, float, int]] = []  # mean, weight and length of what has become equal
    place = 0
    while place < len(values):
        mean, weight, length = values[place], weights[place], 1
        place += 1
        if blocks and blocks[-1][0] >= mean:
            before, heavier, longer = blocks.pop()
            total, weight, length = heavier * before + weight * mean, weight + heavier, length + longer
            mean = total / weight
            while place < len(values) and mean >= values[place]:
                total, weight, length = total + weights[place] * values[place], weight + weights[place], length + 1
                mean, place = total / weight, place + 1
            while blocks and blocks[-1][0] >= mean:
                before, heavier, longer = blocks.pop()
                total, weight, length = total + heavier * before, weight + heavier, length + longer
                mean = total / weight
        blocks.append((mean, weight, length))
    return [mean for mean, _, length in blocks for _ in range(length)]


def _straighten(start: float, run: list[_Cell], columns: list[list[_Cell]], gap: float) -> None:
    """Give the dummies of a long edge as few different heights as the room between their neighbors allows."""
    room = []
    for cell in run:
        column = next(column for column in columns if cell in column)
        place_ = column.index(cell)
        low, high = float("-inf"), float("inf")
        if place_ > 0:
            low = column[place_ - 1].y + (column[place_ - 1].height + cell.height) / 2 + gap
        if place_ + 1 < len(column):
            high = column[place_ + 1].y - (column[place_ + 1].height + cell.height) / 2 - gap
        room.append((low, high))
    first = 0
    while first < len(run):
        low, high = room[first]
        last = first + 1
        while last < len(run) and max(low, room[last][0]) <= min(high, room[last][1]):
            low, high = max(low, room[last][0]), min(high, room[last][1])
            last += 1
        level = min(max(start, low), high)
        for cell in run[first:last]:
            cell.y = level
        start, first = level, last
