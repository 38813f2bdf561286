"""What the command and the gallery say of a graph beyond its gradients: paths, savings, the comparison with complex step."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from bpcore.graph.node import Array, Node
from bpcore.graph.paths import Path, count, paths
from bpcore.graph.perturb import complex_step
from bpcore.graph.reverse import topological_order
from experiments.errors import UserError
from experiments.graphs.text import rows
from experiments.graphs.words import inline
from experiments.text.numbers import count as with_noun
from experiments.text.numbers import number
from experiments.text.tables import TextTable

AGREE = 1e-9  # relative; far above rounding, far below any mistake
MOST_PATHS = 100
_MOST_WORK = 2_000_000


@dataclass(frozen=True)
class Comparison:
    """Hold one gradient computed in two ways.

    Args:
        name: of the variable.
        backward: by reverse mode.
        step: by complex step.
        difference: max |backward − step| / max |step|; 0 if both are zero.
    """

    name: str
    backward: Array
    step: Array
    difference: float

    @property
    def agrees(self) -> bool:
        """Return whether the two differ by rounding only."""
        return self.difference <= AGREE


def compare(root: Node, variables: Iterable[Node], gradients: Mapping[Node, Array]) -> list[Comparison]:
    """Compare the gradients of variables with complex step.

    Args:
        root: of the graph.
        variables: leaves.
        gradients: from `backward(root)`.

    Returns:
        One comparison a variable.

    Raises:
        UserError: there are so many entries that it would take long.
    """
    chosen = list(variables)
    order = topological_order(root)
    if sum(leaf.value.size for leaf in chosen) * sum(node.value.size + 100 for node in order) > 100 * _MOST_WORK:
        raise UserError("complex step runs the graph once per entry, and here are too many: leave --check out, or use smaller arrays")
    found = []
    for leaf in chosen:
        with np.errstate(all="ignore"):
            step = complex_step(root, leaf)
        found.append(Comparison(leaf.name, gradients[leaf], step, relative(gradients[leaf], step)))
    return found


def relative(computed: Array, reference: Array) -> float:
    """Return max |computed − reference| / max |reference|; 0 if both are zero, inf if only the reference is."""
    error, scale = float(np.abs(computed - reference).max(initial=0.0)), float(np.abs(reference).max(initial=0.0))
    return error / scale if scale else (0.0 if not error else float("inf"))


def comparison_table(found: list[Comparison]) -> str:
    """Write the comparisons as columns."""
    cells = [[[one.name], rows(one.backward), rows(one.step), [number(one.difference, 2)]] for one in found]
    return TextTable(["variable", "backward", "complex step", "relative difference"], cells, frozenset({"variable"})).terminal(rule=True)


@dataclass(frozen=True)
class PathTable:
    """Hold the paths to one variable.

    Args:
        name: of the variable.
        count: how many paths there are.
        paths: all of them, or none if there are more than are worth listing.
        total: the sum of their products.
        gradient: what reverse mode says.
    """

    name: str
    count: int
    paths: list[Path]
    total: Array
    gradient: Array


def path_tables(root: Node, variables: Iterable[Node], gradients: Mapping[Node, Array]) -> list[PathTable]:
    """List the paths to every variable.

    Args:
        root: of the graph.
        variables: leaves.
        gradients: from `backward(root)`.

    Returns:
        One table a variable.

    Raises:
        UserError: a Jacobian between two arrays would be too large.
    """
    for node in topological_order(root):
        for parent in node.inputs:
            if node.value.size * parent.value.size > _MOST_WORK:
                raise UserError("paths multiply whole Jacobians, and here one is too large: leave --paths out, or use smaller arrays")
    tables = []
    for leaf in variables:
        number_ = count(root, leaf).paths
        listed = paths(root, leaf) if number_ <= MOST_PATHS else []
        total = np.asarray(sum((path.product for path in listed), start=np.zeros(leaf.shape)))
        tables.append(PathTable(leaf.name, number_, listed, total, gradients[leaf]))
    return tables


def path_text(path: Path, label: Mapping[Node, str]) -> str:
    """Write one path from the root to its leaf, for example ``f ← q1 ← x``."""
    return " ← ".join(label[node] for node in path.nodes)


def product_text(path: Path) -> str:
    """Write a path's product of local derivatives, for example ``1 × 4 × 5 = 20``; Jacobians by their shape."""
    factors = [_factor(factor) for factor in path.factors]
    if len(factors) < 2:
        return inline(path.product)
    return f"{' × '.join(factors)} = {inline(path.product)}"


def _factor(factor: Array) -> str:
    if factor.ndim:
        return f"J({factor.shape[0]}×{factor.shape[1]})"
    text = number(float(factor), 4)
    return f"({text})" if text.startswith("-") else text


def savings(root: Node) -> str:
    """Say in one line what reverse mode saves."""
    counted = count(root)
    scalar = all(node.shape == () for node in topological_order(root))
    products = with_noun(counted.path_by_path, "multiplication" if scalar else "product of Jacobians")
    paths_ = with_noun(counted.paths, "path")
    return f"all variables together: {paths_}, {products} path by path; reverse mode: {counted.reverse}, each edge once"


def path_report(tables: list[PathTable], label: Mapping[Node, str], root: Node) -> str:
    """Write the path tables as text."""
    blocks = []
    for table in tables:
        lines = [f"{with_noun(table.count, 'path')} to {table.name}"]
        if table.count > MOST_PATHS:
            lines.append(f"  (more than {MOST_PATHS}, not listed)")
        else:
            texts = [path_text(path, label) for path in table.paths]
            width = max((len(text) for text in texts), default=0)
            lines += [f"  {text.ljust(width)}   {product_text(path)}" for text, path in zip(texts, table.paths, strict=True)]
            lines.append(f"  sum {inline(table.total)}, backward {inline(table.gradient)}")
        blocks.append("\n".join(lines))
    return "\n".join([*blocks, savings(root)])
