"""What a computation graph is made of: nodes, and the gates that make one from others.

A node is a leaf (a variable or a constant) or the output of a gate. A gate is a forward function and, per input, a
vector–Jacobian product: given g = ∂f/∂out it returns ∂f/∂input = g · ∂out/∂input. Nothing here knows of layers: this
is the independent oracle of the layered core, and it shares no code with it.

Values may be complex, so that a complex step passes through; derivatives are then those of the holomorphic function.
"""

from collections.abc import Callable, Mapping
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


_OPERATORS: dict[str, Gate] = {}  # filled by the gates as they are defined, which the package imports: this module knows none of them


def _operate(operator: str, *operands: Operand) -> Node:
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
