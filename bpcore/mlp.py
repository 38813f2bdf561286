"""The multilayer perceptron by its four equations.

Layers 1…L, of which 1…D are hidden; z^l = W^l a^(l−1) + b^l, a^l = φ(z^l), a^0 = x. With a normalization n before φ, φ acts on
h^l = n(z^l) instead, and with one after it a^l = n(φ(z^l)); h^l is always what φ acts on. With dropout a hidden layer's a^l is multiplied
by its mask M^l in the end. What a residual net adds to z^l or a^l is said in `skips`; M^l is then on what is added. Arrays are (R, n_l, m):
runs first, examples in columns.

J = (1/m) Σ_i J_i + (λ/2) Σ_l ‖W^l‖²_F, and δ^l = ∂J_i/∂z^l, per example, without the 1/m. Under batch normalization J_i
depends on the whole batch, and δ^l is m·∂J/∂z^l.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bpcore.arrays import Array
from bpcore.initializer import Adapt, Initializer
from bpcore.layers import Layers
from bpcore.network import Network, Trace
from bpcore.normalization import RunningStatistics
from bpcore.streams import streams


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
    layers = range(1, network.L + 1)
    for l, of_weights, of_biases in zip(layers, streams(seeds, "weights", layers), streams(seeds, "biases", layers), strict=True):
        fan_in, fan_out = network.sizes[l - 1], network.sizes[l]
        weights = [init.draw(generator, fan_out, fan_in) for init, generator in zip(initializers, of_weights, strict=True)]
        biases = [init.draw_bias(generator, fan_out, fan_in) for init, generator in zip(initializers, of_biases, strict=True)]
        params.W[l], params.b[l] = network.parametrization.start(network.sizes, l) * np.stack(weights), np.stack(biases)
        for kind, array in network.norm(l).initial(params.b[l]).items():
            params[kind, l] = array
    network.skip.begin(network.sizes, params)
    for run, init in enumerate(initializers):
        if init.adapt is not None and x is not None:
            batch = np.asarray(x[run : run + 1] if len(x) > 1 else x, dtype=np.float64)
            _adapt(network, _of_run(params, run), init.adapt, batch)
    return params.map(lambda _, array: array.astype(dtype, copy=False))


def _of_run(params: Layers, run: int) -> Layers:
    return params.map(lambda _, array: array[run : run + 1])


def _adapt(network: Network, params: Layers, adapt: Adapt, x: Array) -> None:
    """Fit the weights of one run to a batch, in place; of a layer that is added to something, to what it adds."""
    trace = Trace({}, {}, {0: x}, {})

    def z_of(l: int, a: Array) -> Array:
        z: Array = params.W[l] @ a + params.b[l]
        return z

    def a_of(l: int, z: Array) -> Array:
        _go_on(network, params, trace, l, z)
        return trace.a[l]

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
    trace = Trace({}, {}, {0: x}, {}, masks or {})
    for l in range(1, network.L + 1):
        _go_on(network, params, trace, l, params.W[l] @ trace.a[l - 1] + params.b[l], running)
    return trace


def _go_on(network: Network, params: Layers, trace: Trace, l: int, z: Array, running: RunningStatistics | None = None) -> None:
    """Add z^l, h^l, a^l and what the normalization keeps to a trace, from W^l a^(l−1) + b^l; the latter not in evaluation mode."""
    skip, below, norm, phi, own, kept = network.skip, network.sources.get(l), network.norm(l), network.phi(l), params.own(l), None

    def joined(added: Array, sums: dict[int, Array]) -> Array:
        return added if below is None else sums[below] + network.alpha(params, l) * added

    z = z if skip.onto_a else joined(z, trace.h if skip.post else trace.z)
    n = phi.value(z) if norm.after else z  # what is normalized
    sum_is_normalized = below is not None and skip.onto_a and skip.post and norm.after
    n = joined(_dropped(n, trace.masks.get(l)), trace.a) if sum_is_normalized else n
    if running is None:
        n, kept = norm.forward(n, own)
        trace.statistics[l] = kept
    else:
        n = norm.evaluate(n, own, running, l)
    a = n if norm.after else phi.value(n)
    trace.z[l], trace.h[l] = z, z if norm.after else n
    a = a if sum_is_normalized else _dropped(a, trace.masks.get(l))
    trace.a[l] = joined(a, trace.a) if skip.onto_a and not sum_is_normalized else a


def _dropped(a: Any, mask: Array | None) -> Any:
    return a if mask is None else a * mask


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
    L, a, m = network.L, trace.a, y.shape[-1]
    gradients = Layers()

    def through(l: int, error: Array) -> Array:
        error, own = network.norm(l).backward(error, params.own(l), trace.statistics[l])
        for kind, gradient in own.items():
            gradients[kind, l] = gradient
        return error

    delta_L = network.loss.delta(trace.h[L], y, network.output_activation)  # BP1
    delta, sums = propagate(network, params, trace, delta_L, through)  # BP2
    for l in range(1, L + 1):
        error = delta[l]
        if l in params.alpha:
            added = sums.get(l, error) * _added(network, params, trace, l)
            gradients.alpha[l] = added.sum(axis=-2, keepdims=True).mean(axis=-1, keepdims=True)
        if l in network.sources and not network.skip.onto_a:
            error = network.alpha(params, l) * error
        gradients.b[l] = error.mean(axis=-1, keepdims=True)  # BP3
        gradients.W[l] = error @ a[l - 1].mT / m + weight_decay * params.W[l]  # BP4
    return delta, gradients


def _added(network: Network, params: Layers, trace: Trace, l: int) -> Array:
    """Return what a layer adds, before its factor α."""
    if not network.skip.onto_a:
        z: Array = params.W[l] @ trace.a[l - 1] + params.b[l]
        return z
    a, norm = network.phi(l).value(trace.h[l]), network.norm(l)
    a = norm.forward(a, params.own(l))[0] if norm.after and not network.skip.post else a
    added: Array = _dropped(a, trace.masks.get(l))
    return added


def propagate(
    network: Network, params: Layers, trace: Trace, error: Any, through: Callable[[int, Any], Any]
) -> tuple[dict[int, Any], dict[int, Any]]:
    """Carry an error from z^L down to z^1: the one backward walk.

    δ^l = through((W^(l+1))ᵀ δ^(l+1) ⊙ M^l ⊙ φ′(h^l)), where `through` leads down through the normalization; after φ it is met
    first. What is added to something passes its error on to it, and takes α times that itself.

    Args:
        network: the architecture.
        params: of the forward pass.
        trace: of the forward pass.
        error: δ^L, an array or what may stand for one in W.mT @ δ, δ * φ′ and δ + δ.
        through: (l, error above the normalization) -> error below it.

    Returns:
        δ^l for l = 1…L, and the errors at the sums a^l, of the layers where those are sums.
    """
    skip, targets = network.skip, network.targets
    delta, sums = {network.L: error}, dict[int, Any]()
    for l in range(network.L - 1, 0, -1):
        error, slope = _matrix(network, params, l + 1).mT @ delta[l + 1], network.phi(l).prime(trace.h[l])
        target, after = targets.get(l), network.norm(l).after
        if skip.onto_a and target is not None:
            error = error + sums[target]
        joins = skip.onto_a and l in network.sources
        sum_is_normalized = joins and skip.post and after
        if sum_is_normalized:
            error = through(l, error)
        if joins:
            sums[l], error = error, error * network.alpha(params, l)
        error = _dropped(error, trace.masks.get(l))
        if after:
            delta[l] = (error if sum_is_normalized else through(l, error)) * slope  # BP2
        elif skip.post and target is not None and not skip.onto_a:
            delta[l] = through(l, error * slope + delta[target])
        else:
            delta[l] = through(l, error * slope)  # BP2
        if target is not None and not skip.onto_a and not skip.post:
            delta[l] = delta[l] + delta[target]
    return delta, sums


def _matrix(network: Network, params: Layers, l: int) -> Array:
    """Return α W^l of a layer whose z^l is added to something, W^l of the others."""
    W = params.W[l]
    return network.alpha(params, l) * W if l in network.sources and not network.skip.onto_a else W


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
