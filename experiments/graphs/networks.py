"""The gallery's networks: 3-3-1 scalar by scalar, 2-3-2 with matrices, each held against its textbook equations."""

from collections.abc import Callable

import numpy as np

from bpcore import activations, losses, normalization
from bpcore.graph.composite import collapse
from bpcore.graph.gates import log, sigmoid, summation
from bpcore.graph.node import Array, Node, constant, variable
from bpcore.graph.reverse import backward, topological_order
from bpcore.layers import Layers
from bpcore.mlp import backward as layered_backward
from bpcore.mlp import forward as layered_forward
from bpcore.network import Network
from experiments.graphs.examples import Example, Picture, picture

_X, _Y = (0.5, -1.0, 2.0), 1.0
_W = ((0.2, -0.4, 0.1), (-0.5, 0.3, 0.6), (0.7, 0.1, -0.2))
_B = (0.1, -0.2, 0.3)
_V, _C = (0.6, -0.3, 0.5), -0.1


def three_three_one() -> Example:
    """Return the 3-3-1 network, with its bias as a bias and as a weight of a constant input."""
    values = {f"x{k + 1}": _X[k] for k in range(3)}
    values |= {f"w{j + 1}{k + 1}": _W[j][k] for j in range(3) for k in range(3)}
    values |= {f"v{j + 1}": _V[j] for j in range(3)}
    biased = {f"b{j + 1}": _B[j] for j in range(3)} | {"c": _C, "y": _Y}
    weights = {f"w{j + 1}0": _B[j] for j in range(3)} | {"v0": _C, "one": 1.0, "y": _Y}
    as_bias = picture(_expression("b{0}", "c"), values | biased, "The bias as a bias: it is added.")
    as_weight = picture(_expression("w{0}0*one", "v0*one"), values | weights, "The bias as the weight of a constant input, one = 1.")
    neurons = Picture("The first graph again, each neuron's sum collapsed into one gate.", _collapse_sums(as_bias), as_bias.variables)
    vectors = picture(
        "0.5*norm2(y-sigmoid(V@sigmoid(W@x+b)+c))",
        {"W": _W, "x": _X, "b": _B, "V": [_V], "c": [_C], "y": [_Y]},
        "The same with vectors and matrices: a layer is one matrix product.",
    )
    example = Example(
        "A 3-3-1 network with squared error",
        [
            "Three inputs, three hidden neurons, one output h; f = ½‖y − h‖². A neuron adds up weighted inputs and a bias, and "
            "passes the sum through σ. The bias can be drawn as a summand, or as a weight (w10, w20, w30, v0) of an input that is "
            "always 1. Both give the same derivative, for a factor of 1 changes nothing: ∂f/∂b is the neuron's δ.",
            "By hand, superscripts numbering the layers: δ² = (h − y)σ′(z²); δ¹ₖ = vₖ δ² σ′(z¹ₖ); ∂f/∂vₖ = δ² aₖ; "
            "∂f/∂wₖᵢ = δ¹ₖ xᵢ; ∂f/∂bₖ = δ¹ₖ.",
        ],
        [as_bias, as_weight, neurons, vectors],
    )
    by_hand = _by_hand()
    gradients = backward(as_bias.root)
    for name, stated in by_hand.items():
        example.check(f"∂f/∂{name}", stated, gradients[as_bias.variables[name]], "by hand, as above")
    other = backward(as_weight.root)
    for bias, weight in (("b1", "w10"), ("b2", "w20"), ("b3", "w30"), ("c", "v0")):
        pair = gradients[as_bias.variables[bias]], other[as_weight.variables[weight]]
        example.check(f"∂f/∂{weight}", *pair, f"∂f/∂{bias}, the bias as a bias")
    collapsed = backward(neurons.root)
    for name in ("w11", "v1", "b3"):
        leaf = as_bias.variables[name]
        example.check(f"∂f/∂{name}, neurons collapsed", by_hand[name], collapsed[leaf], "by hand, as above")
    matrices = backward(vectors.root)
    stated_w = [[by_hand[f"w{j}{k}"] for k in (1, 2, 3)] for j in (1, 2, 3)]
    example.check("∂f/∂W", stated_w, matrices[vectors.variables["W"]], "by hand, as above")
    example.check_complex_step(vectors)
    return example


def _expression(bias: str, output_bias: str) -> str:
    hidden = [f"v{j}*sigmoid({'+'.join(f'w{j}{k}*x{k}' for k in (1, 2, 3))}+{bias.format(j)})" for j in (1, 2, 3)]
    return f"0.5*(y-sigmoid({'+'.join(hidden)}+{output_bias}))**2"


def _by_hand() -> dict[str, float]:
    """Return the gradients by the equations in the text, with scalars and loops only."""

    def logistic(z: float) -> float:
        return 1 / (1 + float(np.exp(-z)))

    a = [logistic(sum(w * x for w, x in zip(row, _X, strict=True)) + b) for row, b in zip(_W, _B, strict=True)]
    h = logistic(sum(v * activation for v, activation in zip(_V, a, strict=True)) + _C)
    delta2 = (h - _Y) * h * (1 - h)
    delta1 = [v * delta2 * activation * (1 - activation) for v, activation in zip(_V, a, strict=True)]
    found = {f"v{j + 1}": delta2 * a[j] for j in range(3)} | {"c": delta2}
    for j in range(3):
        found |= {f"w{j + 1}{k + 1}": delta1[j] * _X[k] for k in range(3)} | {f"b{j + 1}": delta1[j]}
    return found


def _collapse_sums(one: Picture) -> Node:
    """Collapse what stands before each sigmoid into one gate."""
    root = one.root
    while True:
        sums = [node.inputs[0] for node in topological_order(root) if node.gate is sigmoid]
        todo = [node for node in sums if node.gate is not None and node.gate.name != "neuron"]
        if not todo:
            return root
        target = todo[0]
        ends = [node for node in topological_order(target, stop=_activations(target)) if node.gate is None or node.gate is sigmoid]
        root = collapse(root, target, ends, "neuron", symbol="Σ wx + b")


def _activations(target: Node) -> list[Node]:
    return [node for node in topological_order(target) if node.gate is sigmoid]


def two_three_two() -> Example:
    """Return the 2-3-2 network on one sample and on a batch, beside the layered implementation of the same network."""
    rng = np.random.default_rng(232)
    shapes = {"W1": (3, 2), "b1": (3, 1), "W2": (2, 3), "b2": (2, 1)}
    parameters = {name: np.round(rng.normal(size=shape), 1) for name, shape in shapes.items()}
    batch = np.array([[0.5, -1.0, 2.0, 0.4], [1.5, 0.4, -0.8, -1.2]])
    targets = np.array([[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0]])
    example = Example(
        "A 2-3-2 network with cross-entropy, one sample and a batch",
        [
            "z1 = W1 x + b1, a1 = σ(z1), z2 = W2 a1 + b2, a2 = σ(z2), and J is the mean over the m columns of "
            "−Σ [y ln a2 + (1−y) ln(1−a2)]. Under each box stands the shape. With m columns a bias is repeated in the forward pass, so "
            "that its gradient is summed over them in the backward pass.",
            "The layered implementation computes δˡ = ∂Jᵢ/∂zˡ by the textbook's equations BP1–BP4 and shares no code with the gates; "
            "per example and without the 1/m, so it is held against m·∂J/∂zˡ. It fuses σ and the cross-entropy into a2 − y; the graph "
            "goes through the logarithms one by one and must arrive at the same.",
        ],
    )
    for title, x, y in (("one sample", batch[:, :1], targets[:, :1]), (f"a batch of m = {batch.shape[1]} columns", batch, targets)):
        root, nodes = _cross_entropy_network(parameters, x, y)
        leaves = {name: nodes[name] for name in parameters}
        example.pictures.append(Picture(f"On {title}.", root, leaves))
        gradients = backward(root)
        m = x.shape[1]
        for name, stated in _layered(parameters, x, y).items():
            factor = m if name.startswith("z") else 1
            what = {"z1": "δ¹", "z2": "δ²"}.get(name, f"∂J/∂{name}")
            example.check(f"{what}, {title}", stated, factor * gradients[nodes[name]], "mlp.py, BP1–BP4")
        example.check_complex_step(example.pictures[-1])
    return example


def _cross_entropy_network(parameters: dict[str, Array], x: Array, y: Array) -> tuple[Node, dict[str, Node]]:
    """Build the network from gates; return J and its nodes by name."""
    nodes = {name: variable(value, name) for name, value in parameters.items()}
    nodes["x"], target, others = variable(x, "x"), constant(y, "y"), constant(1 - y, "(1−y)")
    nodes["z1"] = (nodes["W1"] @ nodes["x"] + nodes["b1"]).named("z1")
    a1 = sigmoid(nodes["z1"], name="a1")
    nodes["z2"] = (nodes["W2"] @ a1 + nodes["b2"]).named("z2")
    a2 = sigmoid(nodes["z2"], name="a2")
    entropy = target * log(a2) + others * log(1 - a2)
    return (summation(entropy) * (-1 / x.shape[1])).named("J"), nodes


def _layered(parameters: dict[str, Array], x: Array, y: Array) -> dict[str, Array]:
    """Return δ and gradients of the same network by the layered core."""
    network = Network((2, 3, 2), activations.sigmoid(), activations.identity(), losses.sigmoid_cross_entropy(), normalization.none())
    params = Layers(
        W={1: parameters["W1"][None], 2: parameters["W2"][None]},
        b={1: parameters["b1"][None], 2: parameters["b2"][None]},
    )
    trace = layered_forward(network, params, x[None])
    delta, gradients = layered_backward(network, params, trace, y[None], np.zeros((1, 1, 1)))
    found = {f"z{l}": delta[l][0] for l in (2, 1)}
    for l in (1, 2):
        found |= {f"W{l}": gradients.W[l][0], f"b{l}": gradients.b[l][0]}
    return found


NETWORKS: tuple[Callable[[], Example], ...] = (three_three_one, two_three_two)
