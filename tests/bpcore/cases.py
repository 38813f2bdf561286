"""Small networks of every kind, built once for the core and stated again for the oracles."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bpcore import mlp
from bpcore.activations import Activation
from bpcore.dropout import Dropout, Masks
from bpcore.initializers import Initializer
from bpcore.layers import Layers
from bpcore.norms import norm
from tests.normal_oracle import Norm
from tests.oracles import Array, Gradients, Problem, catalogue, forward, term_sizes

ACTIVATIONS = catalogue("activation")
INITIALIZERS = catalogue("init")
LOSSES = catalogue("loss")
NORMALIZATIONS = catalogue("normalization")
# After a rectifier all units of an example may be 0; with the usual ε rounding would then be multiplied by hundreds a layer.
NORMALIZATIONS |= {
    f"{name}-after": partial(factory, place="after", eps=0.01) for name, factory in NORMALIZATIONS.items() if factory.keywords
}

SCALES = {"normal": 0.4, "uniform": 0.7, "truncated_normal": 0.45, "constant": 0.18, "ones": 0.18}
"""Scales at which deep narrow nets stay in range; the other schemes adapt to the width and take 1."""

STEEP = 0.2
"""Factor on weights, biases and γ where φ′ has no bound: exponentials of exponentials stay in range where z is small alone."""

KINK_DISTANCE = 1e-6


def delta_norm(delta: Array) -> Array:
    """Return √(mean_i ‖δ_i‖²) of every run, (R,): what the column of that name holds."""
    return np.asarray(norm(delta) / np.sqrt(delta.shape[-1]))


@dataclass(frozen=True)
class Case:
    """Name a kind of network.

    Args:
        activation: of the hidden layers, a name in the catalogue; or several with a + between them, which layers take in turn.
        loss: a name in the catalogue.
        output: output activation, a name in the catalogue.
        normalization: a name in the catalogue.
        depth: number of hidden layers.
        dropout: share of the hidden units that are dropped.
    """

    activation: str
    loss: str
    output: str
    normalization: str
    depth: int
    dropout: float = 0.0

    def __str__(self) -> str:
        dropped = f"-dropout-{self.dropout}" if self.dropout else ""
        return f"{self.activation}-{self.loss}-{self.output}-{self.normalization}-{self.depth}{dropped}"

    @property
    def names(self) -> tuple[str, ...]:
        """Return the activation of each hidden layer."""
        names = self.activation.split("+")
        return tuple(names[l % len(names)] for l in range(self.depth))

    def network(self) -> mlp.Network:
        # Unequal widths, so that a transposition cannot go unseen; groups of two units would be normalized to ±1.
        hidden = [(10, 6)[l % 2] if self.normalization.startswith("group") else 5 - l % 2 for l in range(self.depth)]
        return mlp.Network(
            sizes=(4, *hidden, 3),
            activation=ACTIVATIONS[self.activation]()
            if self.activation in ACTIVATIONS
            else tuple(ACTIVATIONS[name]() for name in self.names),
            output_activation=ACTIVATIONS[self.output](),
            loss=LOSSES[self.loss](),
            normalization=NORMALIZATIONS[self.normalization](),
            dropout=Dropout(self.dropout),
        )


MIXED = [
    Case("tanh+relu+gelu", "mse", "sigmoid", "none", 5),
    Case("sigmoid+elu", "softmax_cross_entropy", "identity", "batch", 5),
    Case("softplus+leaky_relu+tanh", "mse", "identity", "batch", 20),
    Case("selu+tanh", "sigmoid_cross_entropy", "identity", "none", 20),
]
"""Nets whose layers have different activations."""

DROPPED = [
    Case(
        activation,
        list(LOSSES)[i % len(LOSSES)],
        "identity",
        name := list(NORMALIZATIONS)[i % len(NORMALIZATIONS)],
        1 if name == "batch-after" else 3,
        dropout=(0.2, 0.5)[i % 2],
    )
    for i, activation in enumerate(ACTIVATIONS)
]
"""Nets whose units are dropped: every activation, each with a normalization and a loss in turn."""


@dataclass(frozen=True)
class Built:
    """Hold a case ready for the core, and the same as a problem for the oracles.

    Args:
        network: the architecture.
        initializers: names, one a run.
        params: of the stack.
        x: (1, n_0, m).
        y: (1, n_L, m).
        weight_decay: λ, (R, 1, 1).
        problem: the same in plain arrays.
    """

    network: mlp.Network
    initializers: tuple[str, ...]
    params: Layers
    x: Array
    y: Array
    weight_decay: Array
    problem: Problem

    def core_gradients(self) -> Gradients:
        """Return what the core's backward pass makes of it."""
        trace = mlp.forward(self.network, self.params, self.x, masks=self.problem.masks)
        delta, gradients = mlp.backward(self.network, self.params, trace, self.y, self.weight_decay)
        delta[0] = mlp.input_gradient(self.params, delta)
        return {("delta", l): array for l, array in delta.items()} | dict(gradients.items())


def as_problem(network: mlp.Network, params: Layers, x: Array, y: Array, weight_decay: Array) -> Problem:
    """State a stack in plain arrays."""
    return Problem(
        sizes=network.sizes,
        phis=tuple(network.phi(l).value for l in range(1, network.L + 1)),
        loss=network.loss.name,
        norm=norm_of(network.normalization),
        parameters=dict(params.items()),
        weight_decay=weight_decay.reshape(-1),
        x=x,
        y=y,
        masks=masks_of(network, len(weight_decay), y.shape[-1]),
    )


def masks_of(network: mlp.Network, runs: int, m: int) -> Mapping[int, Array]:
    """Draw masks, of each run its own; none where nothing is dropped."""
    return Masks(network.dropout, network.sizes, list(range(runs)), m, "float64")(np.arange(runs))


def norm_of(normalization: Any) -> Norm | None:
    """State a normalization for the oracles."""
    if not normalization.active:
        return None
    return Norm(normalization.name, normalization.eps, getattr(normalization, "groups", 1), normalization.after)


def chosen(activation: str, loss: str, normalization: str, depth: int = 1) -> bool:
    """Tell whether a combination is tried: of the CLASSIC kinds all, of the others each pair of kinds.

    Batch normalization after φ stands in shallow nets alone: a shift of z all but passes through φ, and the batch's mean takes it away
    again, so that in deep ones the gradients of biases are what cancellation leaves of them.
    """
    if activation in CLASSIC and normalization in CLASSIC:
        return True
    if normalization == "batch-after" and depth > 1:
        return False
    places = [list(table).index(name) for table, name in ((ACTIVATIONS, activation), (NORMALIZATIONS, normalization))]
    return list(LOSSES)[sum(places) % len(LOSSES)] == loss


CLASSIC = {
    *("none", "batch"),
    *("sigmoid", "tanh", "relu", "leaky_relu", "elu", "selu", "softplus", "gelu", "silu", "identity", "softsign", "exponential"),
    *("fan_in", "he", "xavier", "glorot_standard", "normal", "uniform", "orthogonal", "constant", "truncated_normal"),
}
"""Kinds that are tried in every combination. Combinations grow faster than what is added, which is tried with each of another kind once."""


THINNED = [
    (activation, normalization)
    for i, activation in enumerate(ACTIVATIONS)
    for j, normalization in enumerate(NORMALIZATIONS)
    if {activation, normalization} <= CLASSIC or (i + j) % 4 == 0
]
"""The classic pairs; of the others every fourth in turn."""


def targets(loss: str, n: int, m: int, generator: np.random.Generator) -> Array:
    """Draw targets as a loss takes them: distributions over classes where it needs them, numbers in (0, 1) otherwise."""
    y = generator.uniform(0.1, 0.9, (n, m))
    return y / y.sum(axis=0) if LOSSES[loss]().needs_classes else y


def kink_distance(phi: Activation, h: Array) -> Array:
    """Return, per run, how far the inputs of φ stay from its kinks."""
    distances = [np.abs(h - kink).min(axis=(-2, -1)) for kink in phi.kinks]
    return np.min(distances, axis=0) if distances else np.full(h.shape[0], np.inf)


def build(case: Case, runs: tuple[tuple[str, float], ...]) -> Built:
    """Draw a case for runs given as (initializer, λ).

    Each run takes the first seed with which no input of φ lies at a kink and some gradient reaches the input: a narrow
    rectifier net is often dead, and a dead net would test nothing.
    """
    network = case.network()
    m = 6 if network.normalization.active else 3
    generator = np.random.default_rng(5)
    x, y = generator.standard_normal((1, 4, m)), targets(case.loss, 3, m, generator)[None]
    weight_decay = np.array([decay for _, decay in runs]).reshape(-1, 1, 1)
    names = tuple(name for name, _ in runs)
    size = size_of(network)
    initializers = [INITIALIZERS[name](scale=size * SCALES.get(name, 1.0), bias_std=size * 0.3) for name in names]
    params = _draw(network, initializers, x, y)
    return Built(network, names, params, x, y, weight_decay, as_problem(network, params, x, y, weight_decay))


def size_of(network: mlp.Network) -> float:
    """Return by what the parameters of a network are scaled: 1 but where φ′ has no bound."""
    return STEEP if any(phi.steep for phi in (*network.hidden, network.output_activation)) else 1.0


def _draw(network: mlp.Network, initializers: list[Initializer], x: Array, y: Array) -> Layers:
    """Try the seeds in their order on all runs at once, and let each keep the first that will do for it."""
    params, left = None, np.arange(len(initializers))
    for seed in range(200):
        tried = _initial(network, [initializers[run] for run in left], seed)
        problem = as_problem(network, tried, x, y, np.zeros((len(left), 1, 1)))
        begun = forward(problem)
        off = np.all([kink_distance(network.phi(l), begun.h[l]) > KINK_DISTANCE for l in begun.h], axis=0)
        good = off & (term_sizes(problem, begun)["delta", 0].max(axis=(-2, -1)) > 0)
        if params is None:
            params = tried
        else:
            for key, array in tried.items():
                params[key][left] = array
        left = left[~good]
        if not len(left):
            return params
    raise AssertionError(f"200 seeds gave no live network of {initializers[left[0]].name} off the kinks")


def _initial(network: mlp.Network, initializers: list[Initializer], seed: int) -> Layers:
    params = mlp.initialize(network, initializers, [seed] * len(initializers), "float64")
    generator, size = np.random.default_rng(seed), size_of(network)
    for l in params.gamma:  # away from 1 and 0, where an error in them could hide
        one = (1, *params.gamma[l].shape[1:])
        params.gamma[l] = size * np.tile(generator.choice([-1, 1], one) * generator.uniform(0.5, 1.5, one), (len(initializers), 1, 1))
        params.beta[l] = size * np.tile(generator.standard_normal(one), (len(initializers), 1, 1))
    return params
