"""Losses: Σ_i J_i and ∂J_i/∂z^L in one go, or ∂J_i/∂a^L where an output activation follows."""

from typing import Any

from numba import carray, types

from bpcore.engine.kernels.elementary import exp, log, log1p, logistic, sinh
from bpcore.engine.kernels.language import ENTRIES, SUMS, call_of, inner


def signature(T: Any) -> Any:
    """Return double(top, y, delta, n, m, column): top is z^L or a^L, column has room for 2m entries."""
    pointer = types.CPointer(T)
    return types.float64(pointer, pointer, pointer, types.int64, types.int64, pointer)


call = call_of(types.float64, 6)


@inner(SUMS)
def _sum(x):
    """Return Σ x, added up in float64."""
    total = 0.0
    for k in range(x.size):
        total += x[k]
    return total


@inner(SUMS)
def _weighted(y, peak, top):
    """Return Σ y (peak − top)."""
    total = y.dtype.type(0)
    for j in range(y.size):
        total += y[j] * (peak[j] - top[j])
    return total


def _squared(top, y, delta, n, m, column):
    """½‖a − y‖², a − y."""
    top, y, delta, column = carray(top, (n, m)), carray(y, (n, m)), carray(delta, (n, m)), carray(column, (2, m))
    half, total = top.dtype.type(0.5), 0.0
    for i in range(n):
        for j in range(m):
            error = top[i, j] - y[i, j]
            delta[i, j] = error
            column[0, j] = half * (error * error)  # halved before it is added up, which may overflow
        total += _sum(column[0])
    return total


def _hyperbolic(top, y, delta, n, m, column):
    """Σ 2 sinh²((a − y)/2), sinh(a − y)."""
    top, y, delta, column = carray(top, (n, m)), carray(y, (n, m)), carray(delta, (n, m)), carray(column, (2, m))
    half, two, total = top.dtype.type(0.5), top.dtype.type(2), 0.0
    for i in range(n):
        for j in range(m):
            error = top[i, j] - y[i, j]
            delta[i, j] = sinh(error)
            root = sinh(half * error)
            column[0, j] = two * (root * root)
        total += _sum(column[0])
    return total


def _binary(top, y, delta, n, m, column):
    """Σ max(z, 0) − zy + ln(1 + e^(−|z|)), (1 − y)σ(z) − yσ(−z)."""
    top, y, delta, column = carray(top, (n, m)), carray(y, (n, m)), carray(delta, (n, m)), carray(column, (2, m))
    one, zero, total = top.dtype.type(1), top.dtype.type(0), 0.0
    for i in range(n):
        for j in range(m):
            z, target = top[i, j], y[i, j]
            delta[i, j] = (one - target) * logistic(z)[0] - target * logistic(-z)[0]
            positive = zero if z < zero else z  # what is not a number stays so
            column[0, j] = positive - z * target + log1p(exp(z if z < zero else -z))
        total += _sum(column[0])
    return total


def _softmax(top, y, delta, n, m, column):
    """Σ_k y_k (logsumexp(z) − z_k), softmax(z) − y; over classes n, for each of the m examples."""
    top, y, delta, column = carray(top, (n, m)), carray(y, (n, m)), carray(delta, (n, m)), carray(column, (2, m))
    peak, total = column[0], column[1]
    one = top.dtype.type(1)
    for j in range(m):
        peak[j] = top[0, j]
        total[j] = 0
    for i in range(1, n):
        for j in range(m):
            z = top[i, j]
            peak[j] = peak[j] if z <= peak[j] else z  # not a number where one is
    for i in range(n):
        for j in range(m):
            e = exp(top[i, j] - peak[j])
            delta[i, j] = e
            total[j] += e
    loss = 0.0
    for i in range(n):
        loss += _weighted(y[i], peak, top[i])
    for j in range(m):
        peak[j] = log(total[j])
        total[j] = one / total[j]
    loss += _sum(peak)
    for i in range(n):
        for j in range(m):
            delta[i, j] = delta[i, j] * total[j] - y[i, j]
    return loss


KERNELS = {
    "squared": (_squared, signature, ENTRIES),
    "hyperbolic": (_hyperbolic, signature, ENTRIES),
    "binary": (_binary, signature, ENTRIES),
    "softmax": (_softmax, signature, ENTRIES),
}
