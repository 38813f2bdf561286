"""Which kernel computes what the textbook says.

A kernel belongs to a formula and not to a name: it is found by the functions that an activation or a loss consists of, parameters by
what they are bound to, or by the class of a rule. What consists of other functions has none, and is trained as the textbook says.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from bpcore import activations, clamped_activations, gated_activations, losses
from bpcore.activations import Activation
from bpcore.adam_variants import AdamW, NAdam
from bpcore.adaptive_clipping import Adaptive, ByPercentile
from bpcore.clipping import ByNorm, ByValue, Clip, PerLayer
from bpcore.engine.machine import Kernel
from bpcore.example_normalization import PerExample
from bpcore.losses import Loss
from bpcore.normalization import Batch, Normalization
from bpcore.optimizers import SGD, Adagrad, Adam, Momentum, Nesterov, Optimizer, RMSprop

_ACTIVATIONS: dict[tuple[Callable[..., Any], Callable[..., Any]], Kernel] = {
    (activations.logistic, activations.logistic_prime): Kernel("formulas", "sigmoid"),
    (np.tanh, activations.tanh_prime): Kernel("formulas", "tanh"),
    (activations.rectify, activations.step): Kernel("formulas", "relu"),
    (activations.two_slopes, activations.two_slopes_prime): Kernel("formulas", "two_slopes"),
    (activations.exponential_linear, activations.exponential_linear_prime): Kernel("formulas", "exponential_linear"),
    (activations.smooth_rectify, activations.logistic): Kernel("formulas", "softplus"),
    (activations.gaussian_linear, activations.gaussian_linear_prime): Kernel("formulas", "gelu"),
    (activations.logistic_linear, activations.logistic_linear_prime): Kernel("formulas", "silu"),
    (activations.unchanged, np.ones_like): Kernel("formulas", "identity"),
    (activations.soft_sign, activations.soft_sign_prime): Kernel("formulas", "softsign"),
    (activations.grow, activations.grow): Kernel("formulas", "exponential"),
    (clamped_activations.hard_tanh_value, clamped_activations.hard_tanh_prime): Kernel("formulas", "hard_tanh"),
    (clamped_activations.relu6_value, clamped_activations.relu6_prime): Kernel("formulas", "relu6"),
    (gated_activations.mish_value, gated_activations.mish_prime): Kernel("formulas", "mish"),
    (gated_activations.gelu_tanh_value, gated_activations.gelu_tanh_prime): Kernel("formulas", "gelu_tanh"),
}
"""φ and φ′ -> both at once. Functions with parameters stand for what `functools.partial` makes of them."""

_LOSSES: dict[tuple[Callable[..., Any], Callable[..., Any]], Kernel] = {
    (losses.mse_value, losses.mse_delta): Kernel("loss", "squared"),
    (losses.cosh_value, losses.cosh_delta): Kernel("loss", "hyperbolic"),
    (losses.sigmoid_value, losses.sigmoid_delta): Kernel("loss", "binary"),
    (losses.softmax_value, losses.softmax_delta): Kernel("loss", "softmax"),
}
"""J_i and δ^L -> both in one go."""

_OPTIMIZERS: dict[type[Optimizer], tuple[Kernel, tuple[str, ...]]] = {
    SGD: (Kernel("optimizer", "sgd"), ()),
    Momentum: (Kernel("optimizer", "momentum"), ("beta",)),
    Nesterov: (Kernel("optimizer", "nesterov"), ("beta",)),
    Adam: (Kernel("optimizer", "adam"), ("beta1", "beta2", "eps")),
    AdamW: (Kernel("optimizer", "adamw"), ("beta1", "beta2", "eps", "weight_decay")),
    NAdam: (Kernel("optimizer", "nadam"), ("beta1", "beta2", "eps", "momentum_decay")),
    RMSprop: (Kernel("optimizer", "rmsprop"), ("rho", "eps")),
    Adagrad: (Kernel("optimizer", "adagrad"), ("eps",)),
}
"""The class of a rule -> its kernel, and the names of its constants."""

_CLIPS: dict[type[Clip], Kernel] = {
    ByValue: Kernel("clip", "value"),
    ByNorm: Kernel("clip", "norm"),
    PerLayer: Kernel("clip", "per_layer"),
    Adaptive: Kernel("clip", "adaptive"),
    ByPercentile: Kernel("clip", "percentile"),
}


class Normalizing(NamedTuple):
    """Hold the kernels of a normalization and its constants; `groups` is 0 where units are normalized over the batch."""

    forward: Kernel
    backward: Kernel
    evaluate: Kernel
    eps: float
    momentum: float
    groups: int = 0
    centered: bool = True


_FORWARD, _BACKWARD, _EVALUATE = (Kernel("normalization", name) for name in ("forward", "backward", "evaluate"))
_OF_EXAMPLES = (
    Kernel("example_normalization", "forward"),
    Kernel("example_normalization", "backward"),
    Kernel("example_normalization", "evaluate"),
)


def kernels() -> list[Kernel]:
    """Return every kernel that stands for a formula or a rule."""
    rules = [kernel for kernel, _ in _OPTIMIZERS.values()]
    return [*_ACTIVATIONS.values(), *_LOSSES.values(), *rules, *_CLIPS.values(), _FORWARD, _BACKWARD, _EVALUATE, *_OF_EXAMPLES]


def of_activation(phi: Activation) -> tuple[Kernel, tuple[float, float]] | None:
    """Return the kernel of an activation and its two parameters, 0 where it has fewer; None for functions that have none."""
    value, bound = _unbound(phi.value)
    prime, bound_of_prime = _unbound(phi.prime)
    found = _ACTIVATIONS.get((value, prime))
    if found is None or bound != bound_of_prime:
        return None
    p, q, *_ = (*bound, 0.0, 0.0)
    return found, (p, q)


def _unbound(function: Any) -> tuple[Any, tuple[float, ...]]:
    """Return a function and the values that its parameters were bound to, in the order of their names."""
    if not isinstance(function, functools.partial):
        return function, ()
    return function.func, tuple(float(function.keywords[name]) for name in sorted(function.keywords))


def of_loss(loss: Loss) -> tuple[Kernel, float | None] | None:
    """Return the kernel of a loss, and the gain where it is gain/n_L of what the kernel says; None for functions that have none."""
    value, delta, gain = loss.value, loss.delta, None
    if isinstance(value, functools.partial) and isinstance(delta, functools.partial):
        if {value.func, delta.func} != {losses.averaged} or value.keywords["gain"] != delta.keywords["gain"]:
            return None
        gain, value, delta = value.keywords["gain"], value.keywords["function"], delta.keywords["function"]
    kernel = _LOSSES.get((value, delta))
    return None if kernel is None else (kernel, gain)


def of_normalization(kind: Normalization) -> Normalizing | None:
    """Return the kernels of a normalization, None for a class that has none."""
    if type(kind) is PerExample:
        return Normalizing(*_OF_EXAMPLES, kind.eps, 1.0, kind.groups, kind.centered)
    return Normalizing(_FORWARD, _BACKWARD, _EVALUATE, kind.eps, kind.momentum) if type(kind) is Batch else None


def of_optimizer(rule: Optimizer) -> tuple[Kernel, list[float]] | None:
    """Return the kernel of an optimizer and its constants, None for a class that has none."""
    found = _OPTIMIZERS.get(type(rule))
    return found and (found[0], [getattr(rule, name) for name in found[1]])


def of_clip(rule: Clip) -> tuple[Kernel, list[float]] | None:
    """Return the kernel of a clipping rule and its constants, None for a class that has none."""
    found = _CLIPS.get(type(rule))
    return None if found is None else (found, [getattr(rule, name) for name in rule.constants])
