"""The multilayer perceptron by its four equations.

Layers 1…L, of which 1…D are hidden; z^l = W^l a^(l−1) + b^l, a^l = φ(z^l), a^0 = x. With a normalization n before φ, φ acts on
h^l = n(z^l) instead, and with one after it a^l = n(φ(z^l)); h^l is always what φ acts on. With dropout a hidden layer's a^l is multiplied
by its mask M^l in the end. Arrays are (R, n_l, m): runs first, examples in columns.

J = (1/m) Σ_i J_i + (λ/2) Σ_l ‖W^l‖²_F, and δ^l = ∂J_i/∂z^l, per example, without the 1/m. Under batch normalization J_i
depends on the whole batch, and δ^l is m·∂J/∂z^l.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bpcore.activation import Activation, Phis, at_layer, by_layer
from bpcore.arrays import Array
from bpcore.dropout import Dropout
from bpcore.initializer import Adapt, Initializer
from bpcore.layers import Layers
from bpcore.losses import Loss
from bpcore.normalization import Kept, Normalization, RunningStatistics, none
from bpcore.streams import stream

_NONE, _WHOLE = none(), Dropout()


@dataclass(frozen=True)
class Network:
    """Describe an architecture; parameters stand apart.

    Args:
        sizes: (n_0, n_1, …, n_L).
        activation: φ of the hidden layers; one a layer, where they differ.
        output_activation: φ of layer L.
        loss: J_i.
        normalization: of the hidden layers.
        dropout: of the hidden layers, in training.
    """

    sizes: tuple[int, ...]
    activation: Phis
    output_activation: Activation
    loss: Loss
    normalization: Normalization
    dropout: Dropout = _WHOLE

    @property
    def L(self) -> int:
        """Return the number of layers, the output included."""
        return len(self.sizes) - 1

    @property
    def hidden(self) -> tuple[Activation, ...]:
        """Return φ of the hidden layers, 1…D."""
        return by_layer(self.activation, self.L - 1)

    def phi(self, layer: int) -> Activation:
        """Return φ of a layer."""
        return at_layer(self.activation, layer) if layer < self.L else self.output_activation

    @property
    def one_logit(self) -> bool:
        """Return whether there is a single output, and it is a logit: its sign is the class."""
        return self.sizes[-1] == 1 and self.loss.single_logits

    def norm(self, layer: int) -> Normalization:
        """Return what a layer is normalized by; the output layer is not."""
        return self.normalization if layer < self.L else _NONE

    def normalized(self, layer: int) -> bool:
        """Return whether a layer is normalized, and so has γ and β."""
        return self.norm(layer).active


@dataclass(frozen=True)
class Trace:
    """Keep a forward pass: everything that the backward pass reads.

    Args:
        z: z^l, l = 1…L.
        h: input of φ; z^l itself where layer l is not normalized before φ.
        a: a^l, l = 0…L.
        statistics: what the normalization of each layer keeps for the backward pass.
        masks: M^l of the layers whose units were dropped.
    """

    z: dict[int, Array]
    h: dict[int, Array]
    a: dict[int, Array]
    statistics: dict[int, Kept]
    masks: Mapping[int, Array] = field(default_factory=dict)


def initialize(network: Network, initializers: list[Initializer], seeds: list[int], dtype: str, x: Array | None = None) -> Layers:
    """Draw the parameters of a stack, each run from its own seed.

    W and b by the run's initializer, γ = 1, β = 0. Drawn in float64 and then rounded, so that float32 and float64 runs
    of a seed start from the same weights.

    Args:
        network: the architecture.
        initializers: one a run.
        seeds: one a run.
        dtype: float64 or float32.
        x: the first batch, (R or 1, n_0, m), to which weights are fitted where the initializer does so; None to leave them as drawn.

    Returns:
        Parameters with leading axis R = len(seeds), C-contiguous.
    """
    params = Layers()
    for l in range(1, network.L + 1):
        fan_in, fan_out = network.sizes[l - 1], network.sizes[l]
        runs = list(zip(initializers, seeds, strict=True))
        weights = [init.draw(stream(seed, "weights", l), fan_out, fan_in) for init, seed in runs]
        biases = [init.draw_bias(stream(seed, "biases", l), fan_out, fan_in) for init, seed in runs]
        params.W[l], params.b[l] = np.stack(weights), np.stack(biases)
        for kind, array in network.norm(l).initial(params.b[l]).items():
            params[kind, l] = array
    for run, init in enumerate(initializers):
        if init.adapt is not None and x is not None:
            batch = np.asarray(x[run : run + 1] if len(x) > 1 else x, dtype=np.float64)
            _adapt(network, _of_run(params, run), init.adapt, batch)
    return params.map(lambda _, array: array.astype(dtype, copy=False))


def _of_run(params: Layers, run: int) -> Layers:
    return params.map(lambda _, array: array[run : run + 1])


def _adapt(network: Network, params: Layers, adapt: Adapt, x: Array) -> None:
    """Fit the weights of one run to a batch, in place."""

    def z_of(l: int, a: Array) -> Array:
        z: Array = params.W[l] @ a + params.b[l]
        return z

    def a_of(l: int, z: Array) -> Array:
        return _activate(network, params, l, z)[1]

    with np.errstate(all="ignore"):
        adapt(params.W, x, z_of, a_of)


def forward(
    network: Network, params: Layers, x: Array, running: RunningStatistics | None = None, masks: Mapping[int, Array] | None = None
) -> Trace:
    """Run the network forward on a batch.

    z^l = W^l a^(l−1) + b^l, a^l = φ(h^l) ⊙ M^l.

    Args:
        network: the architecture.
        params: of the stack.
        x: a^0, shape (R or 1, n_0, m).
        running: statistics gathered in training, for evaluation mode; without them each batch is normalized by its own.
        masks: M^l by layer, as `dropout.Masks` draws them; without them nothing is dropped, as in evaluation mode.

    Returns:
        Everything that `backward` reads; in evaluation mode, which has no backward pass, `statistics` is empty.
    """
    W, b, masks = params.W, params.b, masks or {}
    z: dict[int, Array] = {}
    h: dict[int, Array] = {}
    a: dict[int, Array] = {0: x}
    statistics: dict[int, Kept] = {}
    for l in range(1, network.L + 1):
        z[l] = W[l] @ a[l - 1] + b[l]
        h[l], a[l], kept = _activate(network, params, l, z[l], running)
        if l in masks:
            a[l] = a[l] * masks[l]
        if running is None:
            statistics[l] = kept
    return Trace(z, h, a, statistics, masks)


def _activate(network: Network, params: Layers, l: int, z: Array, running: RunningStatistics | None = None) -> tuple[Array, Array, Kept]:
    """Return h^l, a^l and what the normalization keeps for the backward pass; None of the latter in evaluation mode."""
    norm, phi, own = network.norm(l), network.phi(l), params.own(l)
    n, kept = z if not norm.after else phi.value(z), None  # what is normalized
    if running is None:
        n, kept = norm.forward(n, own)
    else:
        n = norm.evaluate(n, own, running, l)
    return (z, n, kept) if norm.after else (n, phi.value(n), kept)


def backward(network: Network, params: Layers, trace: Trace, y: Array, weight_decay: Array) -> tuple[dict[int, Array], Layers]:
    """Propagate the error back, by BP1–BP4.

    Args:
        network: the architecture.
        params: of the forward pass.
        trace: of the forward pass.
        y: targets, (R or 1, n_L, m).
        weight_decay: λ, broadcastable to (R, 1, 1).

    Returns:
        δ^l for l = 1…L, each (R, n_l, m), and the gradients of J, λ term included.

    Source: Nielsen, Neural Networks and Deep Learning, ch. 2, BP1–BP4.
    """
    W, L, a, m = params.W, network.L, trace.a, y.shape[-1]
    gradients = Layers()

    def through(l: int, error: Array) -> Array:
        error, own = network.norm(l).backward(error, params.own(l), trace.statistics[l])
        for kind, gradient in own.items():
            gradients[kind, l] = gradient
        return error

    delta_L = network.loss.delta(trace.h[L], y, network.output_activation)  # BP1
    delta = propagate(network, params, trace, delta_L, through)  # BP2
    for l in range(1, L + 1):
        gradients.b[l] = delta[l].mean(axis=-1, keepdims=True)  # BP3
        gradients.W[l] = delta[l] @ a[l - 1].mT / m + weight_decay * W[l]  # BP4
    return delta, gradients


def propagate(network: Network, params: Layers, trace: Trace, error: Any, through: Callable[[int, Any], Any]) -> dict[int, Any]:
    """Carry an error from z^L down to z^1: the one backward walk.

    δ^l = through((W^(l+1))ᵀ δ^(l+1) ⊙ M^l ⊙ φ′(h^l)), where `through` leads down through the normalization; after φ it is met first.

    Args:
        network: the architecture.
        params: of the forward pass.
        trace: of the forward pass.
        error: δ^L, an array or what may stand for one in W.mT @ δ and δ * φ′.
        through: (l, error above the normalization) -> error below it.

    Returns:
        δ^l for l = 1…L.
    """
    W, h, L = params.W, trace.h, network.L
    delta = {L: error}
    for l in range(L - 1, 0, -1):
        above, slope = W[l + 1].mT @ delta[l + 1], network.phi(l).prime(h[l])
        above = above * trace.masks[l] if l in trace.masks else above
        delta[l] = through(l, above) * slope if network.norm(l).after else through(l, above * slope)  # BP2
    return delta


def input_gradient(params: Layers, delta: dict[int, Any]) -> Any:
    """Return δ^0 = ∂J_i/∂x = (W^1)ᵀ δ^1, shape (R, n_0, m)."""
    return params.W[1].mT @ delta[1]


def objective(network: Network, params: Layers, trace: Trace, y: Array, weight_decay: Array) -> Array:
    """Return J = (1/m) Σ_i J_i + (λ/2) Σ_l ‖W^l‖²_F per run, shape (R,)."""
    return penalized(data_term(network, trace, y), params, weight_decay)


def data_term(network: Network, trace: Trace, y: Array) -> Array:
    """Return (1/m) Σ_i J_i per run, shape (R,)."""
    mean: Array = network.loss.value(trace.h[network.L], y, network.output_activation).mean(axis=-1)
    return mean


def penalized(data_term: Array, params: Layers, weight_decay: Array) -> Array:
    """Return J of runs whose (1/m) Σ_i J_i is known, shape (R,): (λ/2) Σ_l ‖W^l‖²_F is added where λ > 0, since 0·inf is not 0."""
    squares = [(W * W).sum(axis=(-2, -1), keepdims=True) for W in params.W.values()]
    penalty: Array = (0.5 * weight_decay * sum(squares[1:], start=squares[0]))[..., 0, 0]
    total: Array = np.where(weight_decay[..., 0, 0] > 0, data_term + penalty, data_term)
    return total


def accuracy(output: Array, y: Array, one_logit: bool = False) -> Array:
    """Return the fraction of examples whose largest output is the right class, per run; NaN for a single output that is no logit.

    A single logit is right where (z > 0) = (y ≥ ½).
    """
    if y.shape[-2] < 2 and not one_logit:
        return np.full(output.shape[:-2], np.nan)
    hits = sign_is_right(output, y) if one_logit else output.argmax(axis=-2) == y.argmax(axis=-2)
    return np.where(np.isfinite(output).all(axis=(-2, -1)), hits.mean(axis=-1), np.nan)


def sign_is_right(logit: Array, y: Array) -> Array:
    """Return whether a single logit, (R, 1, m), is on the side of its target, (R, m): (z > 0) = (y ≥ ½)."""
    right: Array = ((logit > 0) == (y >= 0.5))[..., 0, :]
    return right
