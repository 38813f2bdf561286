"""The computation graph: nodes, gates, and reverse-mode differentiation of one root.

A node is a leaf (a variable or a constant) or the output of a gate. A gate is a forward function and, per input, a
vector–Jacobian product: given g = ∂f/∂out it returns ∂f/∂input = g · ∂out/∂input. Nothing here knows of layers: this
is the independent oracle of the layered core, and it shares no code with it.

Values may be complex, so that a complex step passes through; derivatives are then those of the holomorphic function.

Source: Linnainmaa 1976; Griewank & Walther, Evaluating Derivatives (2008), ch. 3.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Parameters = Mapping[str, Any]


class Node:
    """Hold one value of a computation and how it came about.

    Nodes are compared by identity, never by value, so that they can be the keys of a dictionary of gradients.

    Args:
        value: a number or an array; kept as a read-only float64 or complex128 array.
        gate: what computed the value; None for a leaf.
        inputs: the gate's inputs.
        parameters: the gate's settings, for example the axis of a sum.
        name: what tables and drawings call the node.
        constant: whether a leaf is fixed, so that nothing is differentiated with respect to it.

    Raises:
        TypeError: the value is not numeric.
    """

    __slots__ = ("__weakref__", "constant", "gate", "inputs", "name", "parameters", "value")
    __array_ufunc__: ClassVar[None] = None  # makes `array * node` ask the node, instead of multiplying entry by entry

    def __init__(
        self,
        value: npt.ArrayLike,
        gate: "Gate | None" = None,
        inputs: tuple["Node", ...] = (),
        parameters: Parameters | None = None,
        name: str = "",
        constant: bool = False,
    ) -> None:
        self.value = _numeric(value)
        self.gate = gate
        self.inputs = inputs
        self.parameters: Parameters = dict(parameters or {})
        self.name = name
        self.constant = constant

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the shape of the value, () for a scalar."""
        return self.value.shape

    @property
    def T(self) -> "Node":
        """Return the transpose, a node."""
        return _operate("T", self)

    def named(self, name: str) -> "Node":
        """Return the same computation under a name; the new node takes the old one's place."""
        return Node(self.value, self.gate, self.inputs, self.parameters, name, self.constant)

    def __repr__(self) -> str:
        what = self.gate.name if self.gate else "constant" if self.constant else "variable"
        label = f"{self.name} " if self.name else ""
        shown = f"{self.value}" if self.value.ndim == 0 else f"array of shape {self.shape}"
        return f"<Node {label}{what}: {shown}>"

    def __add__(self, other: "Operand") -> "Node":
        return _operate("+", self, other)

    def __radd__(self, other: "Operand") -> "Node":
        return _operate("+", other, self)

    def __sub__(self, other: "Operand") -> "Node":
        return _operate("-", self, other)

    def __rsub__(self, other: "Operand") -> "Node":
        return _operate("-", other, self)

    def __mul__(self, other: "Operand") -> "Node":
        return _operate("*", self, other)

    def __rmul__(self, other: "Operand") -> "Node":
        return _operate("*", other, self)

    def __truediv__(self, other: "Operand") -> "Node":
        return _operate("/", self, other)

    def __rtruediv__(self, other: "Operand") -> "Node":
        return _operate("/", other, self)

    def __pow__(self, other: "Operand") -> "Node":
        return _operate("**", self, other)

    def __rpow__(self, other: "Operand") -> "Node":
        return _operate("**", other, self)

    def __matmul__(self, other: "Operand") -> "Node":
        return _operate("@", self, other)

    def __rmatmul__(self, other: "Operand") -> "Node":
        return _operate("@", other, self)

    def __neg__(self) -> "Node":
        return _operate("neg", self)

    def __pos__(self) -> "Node":
        return self

    def __abs__(self) -> "Node":
        return _operate("abs", self)


Operand = Node | npt.ArrayLike


@dataclass(frozen=True, eq=False)
class Gate:
    """Bundle an operation with its derivative, and say where the derivative comes from.

    Args:
        name: what expressions, tables and drawings call it.
        forward: (*inputs, **parameters) -> out.
        vjps: one per input, (g, out, *inputs, **parameters) -> g · ∂out/∂input; of the input's shape, of a shape that
            broadcasting made of it (`backward` sums that back), or of one that broadcasts to it.
        rule: the derivative, in one line.
        source: where the rule is stated.
        operator: the Python operator that applies the gate, if any.
        symbol: what a drawing writes into the gate; the name if empty.
        role: what the gate does to a gradient: distribute, route or switch; empty if lectures have no word for it.
        convention: what is returned where the derivative does not exist.
        domain: where the gate is defined, if not everywhere.
        expansion: (*nodes, **parameters) -> node, the same computed by simpler gates, if there are any.
    """

    name: str
    forward: Callable[..., Any]
    vjps: tuple[Callable[..., Any], ...]
    rule: str
    source: str
    operator: str = ""
    symbol: str = ""
    role: str = ""
    convention: str = ""
    domain: str = ""
    expansion: Callable[..., Node] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.operator:
            _OPERATORS[self.operator] = self

    def __call__(self, *operands: Operand, name: str = "", **parameters: Any) -> Node:
        """Apply the gate to nodes, or to numbers and arrays, which become constants.

        Args:
            *operands: the inputs.
            name: of the new node.
            **parameters: of the gate.

        Returns:
            A new node, its value computed.

        Raises:
            TypeError: the number of operands is wrong.
            ValueError: the shapes do not fit.
        """
        if len(operands) != len(self.vjps):
            raise TypeError(f"gate `{self.name}` got {len(operands)} operands, expected {len(self.vjps)}")
        inputs = tuple(lift(operand) for operand in operands)
        try:
            value = self.forward(*(node.value for node in inputs), **parameters)
        except ValueError as error:
            shapes = " and ".join(str(node.shape) for node in inputs)
            reason = str(error).splitlines()[0].strip()
            raise ValueError(f"gate `{self.name}` got inputs of shapes {shapes}, which do not fit: {reason}") from None
        return Node(value, self, inputs, parameters, name)


_OPERATORS: dict[str, Gate] = {}  # filled by the gates as they are defined: this module knows none of them


def _operate(operator: str, *operands: Operand) -> Node:
    if operator not in _OPERATORS:
        raise TypeError(f"operator `{operator}` has no gate yet: import bpcore.graph.gates, which defines it")
    return _OPERATORS[operator](*operands)


def _numeric(value: npt.ArrayLike) -> Array:
    array = np.asarray(value)
    if array.dtype.kind not in "iufc":
        raise TypeError(f"a node's value has dtype {array.dtype}, expected numbers: give an int, a float or an array of them")
    array = np.array(array, dtype=complex if array.dtype.kind == "c" else float)
    array.flags.writeable = False
    return array


def variable(value: npt.ArrayLike, name: str = "") -> Node:
    """Return a leaf that gradients are taken with respect to."""
    return Node(value, name=name)


def constant(value: npt.ArrayLike, name: str = "") -> Node:
    """Return a leaf that is fixed: `backward` does not go there."""
    return Node(value, name=name, constant=True)


def lift(operand: Operand) -> Node:
    """Return the operand itself if it is a node, else a constant."""
    return operand if isinstance(operand, Node) else constant(operand)


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
