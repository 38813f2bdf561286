"""Small networks of every kind, built once for the core and stated again for the oracles."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np

from bpcore import mlp, skips
from bpcore.activations import Activation
from bpcore.dropout import Dropout, Masks
from bpcore.layers import Layers
from bpcore.network import Network
from bpcore.norms import norm
from tests.normal_oracle import Norm
from tests.oracles import Array, Gradients, Problem, catalogue, forward, term_sizes
from tests.skip_oracle import Residual

ACTIVATIONS = catalogue("activation")
INITIALIZERS = catalogue("init")
LOSSES = catalogue("loss")
NORMALIZATIONS = catalogue("normalization")
# After a rectifier all units of an example may be 0; with the usual ε rounding would then be multiplied by hundreds a layer.
NORMALIZATIONS |= {
    f"{name}-after": partial(factory, place="after", eps=0.01) for name, factory in NORMALIZATIONS.items() if factory.keywords
}

SKIPS = {"none": partial(skips.none)}
for _name, _factory in catalogue("skip").items():
    if _name != "none":
        SKIPS |= {
            _name: partial(_factory, scale=0.7),
            f"{_name}-post": partial(_factory, scale="depth", norm="post"),
            f"{_name}-learned": partial(_factory, scale=0.7, init="skipinit"),
        }

WHICH_SIZE = {"none": (0, 1), "preactivation": (0, 0, 1, 1, 1), "block": (0, 1, 0, 1, 1), "postactivation": (0, 0, 1, 1, 1)}
"""Which of two sizes each hidden layer has, in turn; of the blocks of a residual net one has no skip, since its sizes differ."""

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
        skip: a name of SKIPS.
        dropout: share of the hidden units that are dropped.
    """

    activation: str
    loss: str
    output: str
    normalization: str
    depth: int
    skip: str = "none"
    dropout: float = 0.0

    def __str__(self) -> str:
        plain = f"{self.activation}-{self.loss}-{self.output}-{self.normalization}-{self.depth}"
        return plain + (f"-{self.skip}" if self.skip != "none" else "") + (f"-dropout-{self.dropout}" if self.dropout else "")

    @property
    def names(self) -> tuple[str, ...]:
        """Return the activation of each hidden layer."""
        names = self.activation.split("+")
        return tuple(names[l % len(names)] for l in range(self.depth))

    def network(self) -> Network:
        # Unequal widths, so that a transposition cannot go unseen; groups of two units would be normalized to ±1.
        sizes = (10, 6) if self.normalization.startswith("group") else (5, 4)
        pattern = WHICH_SIZE[self.skip.partition("-")[0]]
        hidden = [sizes[pattern[l % len(pattern)]] for l in range(self.depth)]
        return Network(
            sizes=(4, *hidden, 3),
            activation=ACTIVATIONS[self.activation]()
            if self.activation in ACTIVATIONS
            else tuple(ACTIVATIONS[name]() for name in self.names),
            output_activation=ACTIVATIONS[self.output](),
            loss=LOSSES[self.loss](),
            normalization=NORMALIZATIONS[self.normalization](),
            skip=SKIPS[self.skip](),
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

    network: Network
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


def as_problem(network: Network, params: Layers, x: Array, y: Array, weight_decay: Array) -> Problem:
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
        skip=Residual(network.skip.name, network.skip.post, network.skip.alpha(network.sizes), network.sizes) if network.sources else None,
        masks=masks_of(network, len(weight_decay), y.shape[-1]),
    )


def masks_of(network: Network, runs: int, m: int) -> Mapping[int, Array]:
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
    m = 6 if network.normalization.needs_batch else 3
    generator = np.random.default_rng(5)
    x, y = generator.standard_normal((1, 4, m)), targets(case.loss, 3, m, generator)[None]
    weight_decay = np.array([decay for _, decay in runs]).reshape(-1, 1, 1)
    names = tuple(name for name, _ in runs)
    params = _draw(network, names, x, y)
    return Built(network, names, params, x, y, weight_decay, as_problem(network, params, x, y, weight_decay))


def size_of(network: Network) -> float:
    """Return by what the parameters of a network are scaled: 1 but where φ′ has no bound."""
    return STEEP if any(phi.steep for phi in (*network.hidden, network.output_activation)) else 1.0


def _draw(network: Network, names: tuple[str, ...], x: Array, y: Array) -> Layers:
    """Try the seeds in their order on all runs at once, and let each keep the first that will do for it."""
    params, left = None, np.arange(len(names))
    for seed in range(200):
        tried = _initial(network, tuple(names[run] for run in left), seed)
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
    raise AssertionError(f"200 seeds gave no live network of {names[left[0]]} off the kinks")


def _initial(network: Network, names: tuple[str, ...], seed: int) -> Layers:
    generator, size = np.random.default_rng(seed), size_of(network)
    params = _weights(network.sizes, names, size, seed).map(lambda _, array: array.copy())
    network.skip.begin(network.sizes, params)
    for l in range(1, network.L):  # γ, β and α away from 1 and 0, where an error in them could hide
        if network.normalized(l):
            one = (1, network.sizes[l], 1)
            gamma, beta = generator.choice([-1, 1], one) * generator.uniform(0.5, 1.5, one), generator.standard_normal(one)
            params.gamma[l], params.beta[l] = (size * np.tile(array, (len(names), 1, 1)) for array in (gamma, beta))
    for l in params.alpha:
        params.alpha[l] = np.tile(generator.uniform(0.4, 1.2, (1, 1, 1)), (len(names), 1, 1))
    return params


@cache
def _weights(sizes: tuple[int, ...], names: tuple[str, ...], size: float, seed: int) -> Layers:
    """Draw the weights and biases that all nets of these sizes share."""
    linear = ACTIVATIONS["identity"]()
    network = Network(sizes, linear, linear, LOSSES["mse"](), NORMALIZATIONS["none"]())
    initializers = [INITIALIZERS[name](scale=size * SCALES.get(name, 1.0), bias_std=size * 0.3) for name in names]
    return mlp.initialize(network, initializers, [seed] * len(initializers), "float64")


def fits(skip: str, normalization: str) -> bool:
    """Tell whether a normalization can stand where a skip wants it: after the addition it is after what is added."""
    after = normalization.endswith("-after")
    return not skip.endswith("-post") or normalization == "none" or after == skip.startswith("postactivation")


RESIDUAL = [
    Case(names[(i + j) % len(names)], losses[(i + j) % len(losses)], "identity", normalization, 5, skip)
    for names, losses in [([name for name in ACTIVATIONS if name != "identity"], list(LOSSES))]
    for i, skip in enumerate(SKIPS)
    for j, normalization in enumerate(NORMALIZATIONS)
    if skip != "none" and fits(skip, normalization)
]
RESIDUAL += [replace(case, dropout=0.3) for case in RESIDUAL[::4] if case.normalization != "batch-after"]
"""Residual nets: every skip with every normalization, activations and losses in turn; of some the units are dropped."""
