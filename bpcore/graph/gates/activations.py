"""What neurons apply to their input."""

import numpy as np

from bpcore.graph.gates.arithmetic import negate, reciprocal
from bpcore.graph.gates.functions import exp, log
from bpcore.graph.node import Array, Gate


def _shrinking(x: Array) -> Array:
    """Return e^(−|x|), which cannot overflow, continued analytically on either side of 0."""
    return np.exp(-np.where(x.real < 0, -x, x))


def _logistic(x: Array) -> Array:
    small = _shrinking(x)
    return np.asarray(np.where(x.real < 0, small, 1.0) / (1.0 + small))


sigmoid = Gate(
    "sigmoid",
    _logistic,
    (lambda g, out, x: g * out * _logistic(-x),),  # σ(−x) is 1 − σ(x) without the cancellation
    rule="∂σ(x)/∂x = σ(x)(1 − σ(x))",
    source="Bishop 2006, eq. 4.88",
    symbol="σ",
    expansion=lambda x: reciprocal(exp(negate(x)) + 1),
)


def _tanh_vjp(g: Array, out: Array, x: Array) -> Array:
    square = _shrinking(x) ** 2
    return np.asarray(g * 4 * square / (1 + square) ** 2)  # 1 − tanh² cancels in the tails, this does not


tanh = Gate(
    "tanh",
    np.tanh,
    (_tanh_vjp,),
    rule="∂(tanh x)/∂x = 1 − tanh² x",
    source="DLMF §4.34",
    expansion=lambda x: (exp(2 * x) - 1) / (exp(2 * x) + 1),
)

relu = Gate(
    "relu",
    lambda x: np.maximum(x, 0),
    (lambda g, out, x: g * (x.real > 0),),
    rule="∂relu(x)/∂x = 1 where x > 0, else 0",
    source="Glorot, Bordes & Bengio 2011",
    role="route",
    convention="0 at x = 0",
)

leaky_relu = Gate(
    "leaky_relu",
    lambda x, alpha=0.1: np.where(x.real > 0, x, alpha * x),
    (lambda g, out, x, alpha=0.1: g * np.where(x.real > 0, 1.0, alpha),),
    rule="∂/∂x = 1 where x > 0, else α",
    source="Maas, Hannun & Ng 2013",
    symbol="leaky",
    convention="α at x = 0",
)


def _nonpositive(x: Array) -> Array:
    """Return x where it is negative, else 0, so that e^x is asked only where it is used."""
    return np.where(x.real > 0, 0.0, x)


elu = Gate(
    "elu",
    lambda x, alpha=1.0: np.where(x.real > 0, x, alpha * np.expm1(_nonpositive(x))),
    (lambda g, out, x, alpha=1.0: g * np.where(x.real > 0, 1.0, alpha * np.exp(_nonpositive(x))),),
    rule="∂/∂x = 1 where x > 0, else αe^x",
    source="Clevert, Unterthiner & Hochreiter 2016",
    convention="α at x = 0",
)

softplus = Gate(
    "softplus",
    lambda x: np.maximum(x, 0) + np.log1p(_shrinking(x)),
    (lambda g, out, x: g * _logistic(x),),
    rule="∂ln(1+e^x)/∂x = σ(x)",
    source="Dugas et al. 2001",
    expansion=lambda x: log(exp(x) + 1),
)
