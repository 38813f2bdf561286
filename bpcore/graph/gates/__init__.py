"""The gates: each one forward function beside its vector–Jacobian products. Nodes go in, a node comes out.

To add a gate, write it down in one of these modules and name it here: it is at once available to expressions, tables, drawings
and the generic tests. In a vjp, g = ∂f/∂out is the gradient that arrives, `out` the gate's value, then follow the inputs.
Products stand without conjugation, and comparisons look at the real part, so that complex values pass through.

Where a derivative does not exist the gate's `convention` says what is returned instead. Roles (distribute, route,
switch) are the words of Stanford's CS231n notes, "Backpropagation, Intuitions".
"""

from bpcore.graph.gates import activations, arithmetic, functions, matrices, reductions, routers
from bpcore.graph.gates.activations import elu, leaky_relu, relu, sigmoid, softplus, tanh
from bpcore.graph.gates.arithmetic import add, divide, multiply, negate, power, reciprocal, subtract
from bpcore.graph.gates.functions import absolute, erf, exp, log, sqrt
from bpcore.graph.gates.matrices import matmul, transpose
from bpcore.graph.gates.reductions import logsumexp, mean, softmax_cross_entropy, squared_norm, summation
from bpcore.graph.gates.routers import maximum, minimum
from bpcore.graph.node import Gate

__all__ = [
    "absolute",
    "add",
    "catalogue",
    "divide",
    "elu",
    "erf",
    "exp",
    "leaky_relu",
    "log",
    "logsumexp",
    "matmul",
    "maximum",
    "mean",
    "minimum",
    "multiply",
    "negate",
    "power",
    "reciprocal",
    "relu",
    "sigmoid",
    "softmax_cross_entropy",
    "softplus",
    "sqrt",
    "squared_norm",
    "subtract",
    "summation",
    "tanh",
    "transpose",
]

_MODULES = (arithmetic, functions, routers, activations, matrices, reductions)


def catalogue() -> dict[str, Gate]:
    """Return every gate by its name, in the order in which lectures introduce them."""
    return {gate.name: gate for module in _MODULES for gate in vars(module).values() if isinstance(gate, Gate)}
