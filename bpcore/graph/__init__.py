"""The computation graph: an expression of gates goes in, its value and every gradient come out.

It is the oracle of the layered core, with which it shares no code. What a reader needs stands here:

    x = variable(2.0)
    backward(gates.sigmoid(3 * x))[x]
"""

from bpcore.graph import gates
from bpcore.graph.node import Gate, Node, constant, variable
from bpcore.graph.reverse import backward

__all__ = ["Gate", "Node", "backward", "constant", "gates", "variable"]
