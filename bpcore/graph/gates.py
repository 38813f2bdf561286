"""The gates: each one forward function beside its vector–Jacobian products.

To add a gate, write it down here: a `Gate` at module level is at once available to expressions, tables, drawings and
the generic tests. In a vjp, g = ∂f/∂out is the gradient that arrives, `out` the gate's value, then follow the inputs.
Products stand without conjugation, and comparisons look at the real part, so that complex values pass through.

Where a derivative does not exist the gate's `convention` says what is returned instead. Roles (distribute, route,
switch) are the words of Stanford's CS231n notes, "Backpropagation, Intuitions".
"""

from typing import Any

import numpy as np
from scipy import special

from bpcore.graph.node import Array, Gate

_SILENT: Any = {"divide": "ignore", "invalid": "ignore", "over": "ignore"}  # where a vjp's own convention covers the case


# Arithmetic

add = Gate(
    "add",
    lambda x, y: x + y,
    (lambda g, out, x, y: g, lambda g, out, x, y: g),
    rule="∂(x+y)/∂x = 1, ∂(x+y)/∂y = 1",
    source="sum rule",
    operator="+",
    role="distribute",
)

subtract = Gate(
    "subtract",
    lambda x, y: x - y,
    (lambda g, out, x, y: g, lambda g, out, x, y: -g),
    rule="∂(x−y)/∂x = 1, ∂(x−y)/∂y = −1",
    source="sum rule",
    operator="-",
    symbol="−",
    role="distribute",
)

negate = Gate(
    "negate",
    lambda x: -x,
    (lambda g, out, x: -g,),
    rule="∂(−x)/∂x = −1",
    source="constant factor rule",
    operator="neg",
    symbol="×(−1)",
)

multiply = Gate(
    "multiply",
    lambda x, y: x * y,
    (lambda g, out, x, y: g * y, lambda g, out, x, y: g * x),
    rule="∂(xy)/∂x = y, ∂(xy)/∂y = x",
    source="product rule",
    operator="*",
    symbol="×",
    role="switch",
)

divide = Gate(
    "divide",
    lambda x, y: x / y,
    (lambda g, out, x, y: g / y, lambda g, out, x, y: -g * out / y),
    rule="∂(x/y)/∂x = 1/y, ∂(x/y)/∂y = −x/y²",
    source="quotient rule",
    operator="/",
    symbol="÷",
    domain="a divisor other than 0",
)

reciprocal = Gate(
    "reciprocal",
    lambda x: 1 / x,
    (lambda g, out, x: -g * out * out,),
    rule="∂(1/x)/∂x = −1/x²",
    source="quotient rule",
    symbol="1/x",
    domain="x other than 0",
)


def _power_base(g: Array, out: Array, x: Array, p: Array) -> Array:
    with np.errstate(**_SILENT):
        slope: Array = np.where(p == 0, 0, p * np.power(x, p - 1))
    return g * slope


def _power_exponent(g: Array, out: Array, x: Array, p: Array) -> Array:
    with np.errstate(**_SILENT):
        slope: Array = np.where((x == 0) & (p.real > 0), 0, out * np.log(x))
        return g * slope


power = Gate(
    "power",
    np.power,
    (_power_base, _power_exponent),
    rule="∂(x^p)/∂x = p·x^(p−1), ∂(x^p)/∂p = x^p·ln x",
    source="power rule; DLMF §4.7",
    operator="**",
    symbol="^",
    convention="x^0 has slope 0 in x, at x = 0 too; 0^p has slope 0 in p > 0; where x < 0 there is no slope in p: NaN",
    domain="x > 0, or a whole exponent (not negative at x = 0)",
)


# Elementary functions

exp = Gate("exp", np.exp, (lambda g, out, x: g * out,), rule="∂(e^x)/∂x = e^x", source="DLMF §4.7")

log = Gate("log", np.log, (lambda g, out, x: g / x,), rule="∂(ln x)/∂x = 1/x", source="DLMF §4.7", symbol="ln", domain="x > 0")


def _sqrt_vjp(g: Array, out: Array, x: Array) -> Array:
    with np.errstate(**_SILENT):
        return np.asarray(0.5 * g / out)


sqrt = Gate(
    "sqrt",
    np.sqrt,
    (_sqrt_vjp,),
    rule="∂√x/∂x = 1/(2√x)",
    source="power rule",
    symbol="√",
    convention="infinite at x = 0: inf; so √(x²) gives inf·0 = NaN there, unlike |x|",
    domain="x ≥ 0",
)

absolute = Gate(
    "abs",
    lambda x: np.where(x.real < 0, -x, x),
    (lambda g, out, x: g * np.sign(x.real),),
    rule="∂|x|/∂x = sign x",
    source="one-sided limits",
    operator="abs",
    symbol="|x|",
    convention="0 at x = 0",
)

erf = Gate(
    "erf",
    special.erf,
    (lambda g, out, x: g * (2 / np.sqrt(np.pi)) * np.exp(-x * x),),
    rule="∂(erf x)/∂x = 2e^(−x²)/√π",
    source="DLMF eq. 7.2.1",
)


# Routers

maximum = Gate(
    "max",
    np.maximum,
    (lambda g, out, x, y: g * _share(x, y), lambda g, out, x, y: g * _share(y, x)),
    rule="∂max(x,y)/∂x = 1 where x > y, else 0; likewise y",
    source="one-sided limits",
    role="route",
    convention="at a tie each input receives half",
)

minimum = Gate(
    "min",
    np.minimum,
    (lambda g, out, x, y: g * _share(y, x), lambda g, out, x, y: g * _share(x, y)),
    rule="∂min(x,y)/∂x = 1 where x < y, else 0; likewise y",
    source="one-sided limits",
    role="route",
    convention="at a tie each input receives half",
)


def _share(x: Array, other: Array) -> Array:
    """Return 1 where x is larger, 0 where it is smaller, ½ at a tie."""
    return np.asarray(np.heaviside(x.real - other.real, 0.5))


# Activations


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


# Matrices


def _matrices(g: Array, x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Return g, x, y as matrices: a vector on the left is a row, on the right a column."""
    g = np.expand_dims(g, -1) if y.ndim == 1 else g
    g = np.expand_dims(g, -2) if x.ndim == 1 else g
    return g, (x[None, :] if x.ndim == 1 else x), (y[:, None] if y.ndim == 1 else y)


def _matmul_left(g: Array, out: Array, x: Array, y: Array) -> Array:
    g, _, Y = _matrices(g, x, y)
    product = g @ Y.mT
    return product[..., 0, :] if x.ndim == 1 else product


def _matmul_right(g: Array, out: Array, x: Array, y: Array) -> Array:
    g, X, _ = _matrices(g, x, y)
    product = X.mT @ g
    return product[..., 0] if y.ndim == 1 else product


matmul = Gate(
    "matmul",
    lambda x, y: x @ y,
    (_matmul_left, _matmul_right),
    rule="∂f/∂X = G Yᵀ, ∂f/∂Y = Xᵀ G",
    source="Giles 2008, §2.2",
    operator="@",
    role="switch",
)

transpose = Gate(
    "transpose",
    lambda x: x.mT,
    (lambda g, out, x: g.mT,),
    rule="∂f/∂X = Gᵀ",
    source="Giles 2008, §2.2",
    operator="T",
    symbol="ᵀ",
)


# Reductions


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


def catalogue() -> dict[str, Gate]:
    """Return every gate of this module by its name, in the order in which they stand here."""
    return {gate.name: gate for gate in globals().values() if isinstance(gate, Gate)}
