"""Optimizers in place: w ← w + Δ for a gradient known up to a factor."""

import math
from typing import Any

from numba import carray, types

from bpcore.engine.kernels.language import ENTRIES, call_of, inner


def signature(T: Any) -> Any:
    """Return void(w, g, first, second, k, scale, lr, number, constants).

    The gradient is scale·g, k entries; first and second are what is kept of the gradients before it. Where Δ is not −lr·scale·g it
    stands in g afterwards.
    """
    pointer = types.CPointer(T)
    return types.void(*(pointer,) * 4, types.int64, T, T, types.int64, types.CPointer(types.float64))


call = call_of(types.void, 9)


def _sgd(w, g, first, second, k, scale, lr, number, constants):
    """Δ = −ηg; its norm is known from that of g."""
    w, g = carray(w, k), carray(g, k)
    rate = lr * scale
    for i in range(k):
        w[i] -= rate * g[i]


def _momentum(w, g, first, second, k, scale, lr, number, constants):
    """V ← βv − ηg, Δ = v."""
    w, g, v = carray(w, k), carray(g, k), carray(first, k)
    T = w.dtype.type
    beta, rate = T(carray(constants, 1)[0]), lr * scale
    for i in range(k):
        step = beta * v[i] - rate * g[i]
        v[i] = step
        g[i] = step
        w[i] += step


def _nesterov(w, g, first, second, k, scale, lr, number, constants):
    """V ← βv − ηg, Δ = βv − ηg."""
    w, g, v = carray(w, k), carray(g, k), carray(first, k)
    T = w.dtype.type
    beta, rate = T(carray(constants, 1)[0]), lr * scale
    for i in range(k):
        down = rate * g[i]
        v[i] = beta * v[i] - down
        step = beta * v[i] - down
        g[i] = step
        w[i] += step


def _adam(w, g, first, second, k, scale, lr, number, constants):
    """M ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², Δ = −η m̂/(√v̂ + ε)."""
    w, g, mean, square, constants = carray(w, k), carray(g, k), carray(first, k), carray(second, k), carray(constants, 3)
    T = w.dtype.type
    beta1, beta2, eps = T(constants[0]), T(constants[1]), T(constants[2])
    fresh1, fresh2 = T(1 - constants[0]), T(1 - constants[1])
    rate, weight = T(lr / (1 - constants[0] ** number)), T(1 / (1 - constants[1] ** number))
    for i in range(k):
        entry = scale * g[i]
        m = beta1 * mean[i] + fresh1 * entry
        v = beta2 * square[i] + fresh2 * (entry * entry)
        mean[i], square[i] = m, v
        step = -rate * m / (math.sqrt(v * weight) + eps)
        g[i] = step
        w[i] += step


def _adamw(w, g, first, second, k, scale, lr, number, constants):
    """M ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², Δ = −η(m̂/(√v̂ + ε) + λw)."""
    w, g, mean, square, constants = carray(w, k), carray(g, k), carray(first, k), carray(second, k), carray(constants, 4)
    T = w.dtype.type
    beta1, beta2, eps, decay = T(constants[0]), T(constants[1]), T(constants[2]), T(constants[3])
    fresh1, fresh2 = T(1 - constants[0]), T(1 - constants[1])
    grown, weight = T(1 / (1 - constants[0] ** number)), T(1 / (1 - constants[1] ** number))
    for i in range(k):
        entry = scale * g[i]
        m = beta1 * mean[i] + fresh1 * entry
        v = beta2 * square[i] + fresh2 * (entry * entry)
        mean[i], square[i] = m, v
        step = -lr * ((m * grown) / (math.sqrt(v * weight) + eps) + decay * w[i])
        g[i] = step
        w[i] += step


@inner(ENTRIES)
def _momentum_at(beta, decay, number):
    """Return μ_t = β₁(1 − ½·0.96^(tψ))."""
    return beta * (1 - 0.5 * 0.96 ** (number * decay))


@inner(ENTRIES)
def _product_of_momenta(beta, decay, number):
    """Return μ_1⋯μ_t, no further than 1 − μ_1⋯μ_t can tell."""
    product = 1.0
    for t in range(1, number + 1):
        product *= _momentum_at(beta, decay, t)
        if product < 1e-20:
            break
    return product


def _nadam(w, g, first, second, k, scale, lr, number, constants):
    """M ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², Δ = −η((1−μ_t)g/(1−Πμ) + μ_(t+1)m/(1−μ_(t+1)Πμ))/(√v̂ + ε)."""
    w, g, mean, square, constants = carray(w, k), carray(g, k), carray(first, k), carray(second, k), carray(constants, 4)
    T = w.dtype.type
    now, ahead = _momentum_at(constants[0], constants[3], number), _momentum_at(constants[0], constants[3], number + 1)
    product = _product_of_momenta(constants[0], constants[3], number)
    here, there = T((1 - now) / (1 - product)), T(ahead / (1 - product * ahead))
    beta1, beta2, eps = T(constants[0]), T(constants[1]), T(constants[2])
    fresh1, fresh2 = T(1 - constants[0]), T(1 - constants[1])
    weight = T(1 / (1 - constants[1] ** number))
    for i in range(k):
        entry = scale * g[i]
        m = beta1 * mean[i] + fresh1 * entry
        v = beta2 * square[i] + fresh2 * (entry * entry)
        mean[i], square[i] = m, v
        step = -lr * (here * entry + there * m) / (math.sqrt(v * weight) + eps)
        g[i] = step
        w[i] += step


def _rmsprop(w, g, first, second, k, scale, lr, number, constants):
    """V ← ρv + (1−ρ)g², Δ = −ηg/(√v + ε)."""
    w, g, square, constants = carray(w, k), carray(g, k), carray(first, k), carray(constants, 2)
    T = w.dtype.type
    rho, fresh, eps = T(constants[0]), T(1 - constants[0]), T(constants[1])
    for i in range(k):
        entry = scale * g[i]
        v = rho * square[i] + fresh * (entry * entry)
        square[i] = v
        step = -lr * entry / (math.sqrt(v) + eps)
        g[i] = step
        w[i] += step


def _adagrad(w, g, first, second, k, scale, lr, number, constants):
    """H ← h + g², Δ = −ηg/(√h + ε)."""
    w, g, square = carray(w, k), carray(g, k), carray(first, k)
    T = w.dtype.type
    eps = T(carray(constants, 1)[0])
    for i in range(k):
        entry = scale * g[i]
        v = square[i] + entry * entry
        square[i] = v
        step = -lr * entry / (math.sqrt(v) + eps)
        g[i] = step
        w[i] += step


KERNELS = {
    "sgd": (_sgd, signature, ENTRIES),
    "momentum": (_momentum, signature, ENTRIES),
    "nesterov": (_nesterov, signature, ENTRIES),
    "adam": (_adam, signature, ENTRIES),
    "adamw": (_adamw, signature, ENTRIES),
    "nadam": (_nadam, signature, ENTRIES),
    "rmsprop": (_rmsprop, signature, ENTRIES),
    "adagrad": (_adagrad, signature, ENTRIES),
}
