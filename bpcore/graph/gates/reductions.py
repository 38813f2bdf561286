"""Gates that make one number of many: sums, means, norms, and the losses made of them."""

import numpy as np

from bpcore.graph.gates.functions import exp, log
from bpcore.graph.node import Array, Gate


def _spread(g: Array, x: Array, axis: int | None, keepdims: bool) -> Array:
    """Repeat the gradient of a reduction over the entries that were reduced."""
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    return np.broadcast_to(g, x.shape)


summation = Gate(
    "sum",
    lambda x, axis=None, keepdims=False: x.sum(axis=axis, keepdims=keepdims),
    (lambda g, out, x, axis=None, keepdims=False: _spread(g, x, axis, keepdims),),
    rule="∂(Σx)/∂x_k = 1",
    source="sum rule",
    symbol="Σ",
    role="distribute",
)

mean = Gate(
    "mean",
    lambda x, axis=None, keepdims=False: x.mean(axis=axis, keepdims=keepdims),
    (lambda g, out, x, axis=None, keepdims=False: _spread(g, x, axis, keepdims) * (out.size / x.size),),
    rule="∂(mean x)/∂x_k = 1/n",
    source="sum rule",
    expansion=lambda x, axis=None, keepdims=False: (
        summation(x, axis=axis, keepdims=keepdims) * (1 / (x.value.size if axis is None else x.shape[axis]))
    ),
)

squared_norm = Gate(
    "norm2",
    lambda x: (x * x).sum(),
    (lambda g, out, x: 2 * g * x,),
    rule="∂‖x‖²/∂x = 2x",
    source="power rule, entry by entry",
    symbol="‖·‖²",
    expansion=lambda x: summation(x**2),
)


def _logsumexp(x: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    shift = x.real.max(axis=axis, keepdims=True)
    total = np.log(np.exp(x - shift).sum(axis=axis, keepdims=True)) + shift
    if keepdims:
        return np.asarray(total)
    return np.asarray(total.reshape(()) if axis is None else total.squeeze(axis))


def _softmax(x: Array, axis: int | None) -> Array:
    weights = np.exp(x - x.real.max(axis=axis, keepdims=True))
    return np.asarray(weights / weights.sum(axis=axis, keepdims=True))


logsumexp = Gate(
    "logsumexp",
    _logsumexp,
    (lambda g, out, x, axis=None, keepdims=False: _spread(g, x, axis, keepdims) * _softmax(x, axis),),
    rule="∂ln(Σe^x)/∂x_k = e^(x_k)/Σe^x",
    source="Blanchard, Higham & Higham 2021, eq. 1.1–1.3",
    symbol="lse",
    expansion=lambda x, axis=None, keepdims=False: log(summation(exp(x), axis=axis, keepdims=keepdims)),
)

softmax_cross_entropy = Gate(
    "softmax_cross_entropy",
    lambda z, y, axis=0: (y * (_logsumexp(z, axis, keepdims=True) - z)).sum(axis=axis),
    (
        lambda g, out, z, y, axis=0: np.expand_dims(g, axis) * (_softmax(z, axis) * y.sum(axis=axis, keepdims=True) - y),
        lambda g, out, z, y, axis=0: np.expand_dims(g, axis) * (_logsumexp(z, axis, keepdims=True) - z),
    ),
    rule="∂f/∂z = softmax(z)·Σy − y, ∂f/∂y = logsumexp(z) − z; classes run down the columns",
    source="Bishop 2006, eq. 4.108–4.109",
    symbol="CE",
    expansion=lambda z, y, axis=0: summation(y * (logsumexp(z, axis=axis, keepdims=True) - z), axis=axis),
)
