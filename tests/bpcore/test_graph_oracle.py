"""The graph as the oracle of the layered core: networks built from gates must give the same δ and gradients per layer."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from bpcore import activations, losses, normalization
from bpcore.activations import Activation
from bpcore.arrays import Array
from bpcore.dropout import Dropout
from bpcore.graph import gates
from bpcore.graph.node import Node, constant, variable
from bpcore.graph.reverse import backward
from bpcore.layers import Layers
from bpcore.mlp import backward as layered_backward
from bpcore.mlp import forward as layered_forward
from bpcore.mlp import input_gradient, objective
from bpcore.network import Network
from tests.bpcore.cases import ACTIVATIONS, LOSSES, NORMALIZATIONS, chosen, masks_of, size_of
from tests.every import every

RTOL = 1e-12
SIZES, M = (4, 5, 3, 4, 3), 6
LAMBDA = 0.03


def by_gates(name: str) -> Callable[[Node], Node]:
    """Return an activation built from gates, by the name of its factory in the layered core."""
    lam, alpha = 1.0507009873554804934, 1.6732632423543772848
    return {
        "sigmoid": gates.sigmoid,
        "tanh": gates.tanh,
        "relu": gates.relu,
        "leaky_relu": gates.leaky_relu,
        "elu": gates.elu,
        "selu": lambda z: lam * gates.elu(z, alpha=alpha),
        "softplus": gates.softplus,
        "gelu": lambda z: 0.5 * z * (1 + gates.erf(z / np.sqrt(2))),
        "silu": lambda z: z * gates.sigmoid(z),
        "softsign": lambda z: z / (1 + gates.absolute(z)),
        "exponential": gates.exp,
        "hard_tanh": lambda z: 0.5 * (gates.absolute(z + 1) - gates.absolute(z - 1)),
        "relu6": lambda z: gates.relu(z) - gates.relu(z - 6),
        "mish": lambda z: z * gates.tanh(gates.softplus(z)),
        "gelu_tanh": lambda z: 0.5 * z * (1 + gates.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z * z * z))),
        "identity": lambda z: z * 1,
    }[name]


def loss_by_gates(name: str, a: Node, z: Node, y: Array) -> Node:
    """Return Σ_i J_i; a is the output activation of z."""
    made: dict[str, Callable[[], Node]] = {
        "mse": lambda: 0.5 * gates.squared_norm(a - y),
        "cosh": lambda: gates.summation(0.5 * (gates.exp(a - y) + gates.exp(y - a)) - 1),
        "sigmoid_cross_entropy": lambda: gates.summation(gates.softplus(z) - z * y),
        "softmax_cross_entropy": lambda: gates.summation(gates.softmax_cross_entropy(z, y)),
    }
    return made[name]()


def normalized_by_gates(name: str, z: Node, gamma: Node, beta: Node, eps: float) -> Node:
    """Return γ ẑ + β, ẑ as the normalization makes it of z."""
    assert name in ("batch", "layer", "rms"), f"no gates for normalization={name}: add them here"
    axis = -1 if name == "batch" else 0
    centered = z if name == "rms" else z - gates.mean(z, axis=axis, keepdims=True)
    variance = gates.mean(centered * centered, axis=axis, keepdims=True)
    return gamma * centered / gates.sqrt(variance + eps) + beta


def parameters(network: Network, rng: np.random.Generator) -> Layers:
    params, size = Layers(), size_of(network)
    for l in range(1, network.L + 1):
        fan_out, fan_in = network.sizes[l], network.sizes[l - 1]
        params.W[l] = size * rng.normal(size=(1, fan_out, fan_in)) / np.sqrt(fan_in)
        params.b[l] = size * rng.normal(size=(1, fan_out, 1)) / 2
        if network.normalized(l):
            params.gamma[l] = size * rng.uniform(0.5, 1.5, (1, fan_out, 1))
            params.beta[l] = size * rng.normal(size=(1, fan_out, 1)) / 2
    return params


def build(
    network: Network, params: Layers, x: Array, y: Array, hidden: str, output: str, masks: Mapping[int, Array]
) -> tuple[Node, dict[str, Node]]:
    """Build J from gates; return it with the nodes W1, b1, gamma1, beta1, z1, … by name."""
    nodes: dict[str, Node] = {"z0": variable(x)}  # δ^0 is the input's gradient
    a: Node = nodes["z0"]
    penalty: Node = constant(0.0)
    for l in range(1, network.L + 1):
        for kind in ("W", "b", "gamma", "beta"):
            if l in getattr(params, kind):
                nodes[f"{kind}{l}"] = variable(getattr(params, kind)[l][0])
        z = nodes[f"W{l}"] @ a + nodes[f"b{l}"]
        nodes[f"z{l}"] = h = z
        norm, phi = network.norm(l), by_gates(hidden if l < network.L else output)
        own = (nodes[f"gamma{l}"], nodes[f"beta{l}"], norm.eps) if norm.active else None
        if own and not norm.after:
            h = normalized_by_gates(norm.name, z, *own)
        a = normalized_by_gates(norm.name, phi(h), *own) if own and norm.after else phi(h)
        a = a * constant(masks[l][0]) if l in masks else a
        penalty = penalty + gates.squared_norm(nodes[f"W{l}"])
        logits = h
    return loss_by_gates(network.loss.name, a, logits, y) / y.shape[-1] + LAMBDA / 2 * penalty, nodes


def zero_by_construction(network: Network) -> set[str]:
    """Name the gradients that are zero in exact arithmetic.

    Batch normalization takes a constant shift of its input out again: the layer's own bias, and β of the layer below
    where only a linear map lies between.
    """
    linear = network.activation == activations.identity()
    normalized = {l for l in range(1, network.L) if network.norm(l).centers or (linear and network.norm(l).needs_batch)}
    names = {f"b{l}" for l in normalized}
    if linear and not network.dropout.active:  # masks make of a shift of all examples another one for each
        names |= {f"beta{l}" for l in normalized if l + 1 in normalized}
    return names


def compare(
    hidden: str, output: str, loss: str, norm: str, seed: int, sizes: tuple[int, ...] = SIZES, scale: float = 1.0, rate: float = 0.0
) -> dict[str, float]:
    """Return the relative difference of every δ^l and gradient, per layer; zeros by construction relative to δ^l."""
    rng = np.random.default_rng(seed)
    network = Network(
        sizes,
        ACTIVATIONS[hidden](),
        ACTIVATIONS[output](),
        LOSSES[loss](),
        NORMALIZATIONS[norm](),
        dropout=Dropout(rate),
    )
    params = parameters(network, rng)
    x = scale * rng.normal(size=(sizes[0], M))
    classes = np.eye(sizes[-1])[:, rng.integers(sizes[-1], size=M)]
    y = classes if loss == "softmax_cross_entropy" else rng.uniform(0, 1, (sizes[-1], M))
    masks = masks_of(network, 1, M)
    trace = layered_forward(network, params, x[None], masks=masks)
    delta, layered = layered_backward(network, params, trace, y[None], np.full((1, 1, 1), LAMBDA))
    root, nodes = build(network, params, x, y, hidden, output, masks)
    gradients = backward(root)
    mine_J, their_J = float(root.value), float(objective(network, params, trace, y[None], np.full((1, 1, 1), LAMBDA))[0])
    assert abs(mine_J - their_J) <= RTOL * abs(mine_J)
    delta[0] = input_gradient(params, delta)
    theirs = {f"z{l}": delta[l][0] for l in delta} | {f"{kind}{l}": array[0] for (kind, l), array in layered.items()}
    assert theirs.keys() == nodes.keys()
    zeros = zero_by_construction(network)
    differences = {}
    for name, node in nodes.items():
        mine = gradients[node] * (M if name.startswith("z") else 1)  # δ is m·∂J/∂z
        assert mine.shape == theirs[name].shape
        reference = theirs[f"z{name[-1]}"] if name in zeros else theirs[name]
        differences[name] = float(np.linalg.norm(mine - theirs[name]) / np.linalg.norm(reference))
        if name in zeros:
            assert np.linalg.norm(mine) <= RTOL * np.linalg.norm(reference)
    return differences


GRAPHED = [
    (hidden, loss, norm)
    for hidden in ACTIVATIONS
    for loss in LOSSES
    for norm in NORMALIZATIONS
    if chosen(hidden, loss, norm) and not norm.startswith("group")  # there are no gates that cut a column; the other oracles have it
]


@every(GRAPHED, by=lambda hidden, *_: hidden)
def test_the_layered_core_agrees_with_the_graph(hidden: str, loss: str, norm: str) -> None:
    for seed in range(3):
        differences = compare(hidden, "identity", loss, norm, seed)
        worst = max(differences, key=differences.__getitem__)
        assert differences[worst] <= RTOL, f"{worst} differs by {differences[worst]:.1e}"


@pytest.mark.parametrize("output", ACTIVATIONS)
def test_squared_error_behind_any_output_activation(output: str) -> None:
    differences = compare("tanh", output, "mse", "none", seed=7)
    assert max(differences.values()) <= RTOL


@pytest.mark.parametrize("hidden", ["sigmoid", "tanh", "relu", "softplus"])
def test_a_deep_network_agrees_in_its_first_layers_too(hidden: str) -> None:
    differences = compare(hidden, "identity", "softmax_cross_entropy", "none", seed=3, sizes=(4, *[16] * 20, 3))
    assert max(differences.values()) <= RTOL


@pytest.mark.parametrize("norm", [name for name in NORMALIZATIONS if not name.startswith("group")])
@pytest.mark.parametrize("hidden", ["tanh", "relu", "identity"])
def test_a_network_whose_units_are_dropped_agrees(hidden: str, norm: str) -> None:
    for seed in range(3):
        assert max(compare(hidden, "identity", "mse", norm, seed, rate=0.4).values()) <= RTOL


def test_a_saturated_network_agrees() -> None:
    for hidden in ("sigmoid", "tanh", "softplus"):
        assert max(compare(hidden, "identity", "mse", "none", seed=1, scale=12.0).values()) <= RTOL


def test_the_vanishing_gradient_is_there_and_not_a_zero() -> None:
    """An all-zero gradient would pass any absolute tolerance: here it is of order 1e-12 and must agree relatively."""
    rng = np.random.default_rng(3)
    network = Network((4, *[6] * 20, 3), activations.sigmoid(), activations.identity(), losses.mse(), normalization.none())
    params = parameters(network, rng)
    x, y = rng.normal(size=(1, 4, M)), rng.uniform(0, 1, (1, 3, M))
    delta, _ = layered_backward(network, params, layered_forward(network, params, x), y, np.zeros((1, 1, 1)))
    assert 0 < np.linalg.norm(delta[1]) < 1e-10


def test_a_small_mistake_in_one_derivative_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = activations.tanh()
    wrong = Activation("tanh", right.value, lambda z: (1 + 1e-9) * right.prime(z), right.kinks, right.bounds)
    monkeypatch.setitem(ACTIVATIONS, "tanh", lambda: wrong)
    differences = compare("tanh", "identity", "mse", "none", seed=0)
    assert differences["z4"] <= RTOL  # the output layer has no tanh
    assert min(differences[name] for name in ("z1", "z2", "z3")) > 100 * RTOL


def test_a_forgotten_term_of_batch_normalization_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = normalization.denormalize

    def forgetful(delta_h: Array, gamma: Array, statistics: normalization.BatchStatistics) -> tuple[Array, Array, Array]:
        delta, d_gamma, d_beta = whole(delta_h, gamma, statistics)
        return delta + gamma / statistics.std * statistics.z_hat * d_gamma, d_gamma, d_beta

    monkeypatch.setattr("bpcore.normalization.denormalize", forgetful)
    assert compare("tanh", "identity", "mse", "batch", seed=0)["z3"] > 1e-3
