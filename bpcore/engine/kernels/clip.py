"""Clipping rules: the factor of each layer's gradient, or the gradient itself entry by entry."""

from typing import Any

from numba import carray, types

from bpcore.engine.kernels.language import ENTRIES, call_of


def signature(T: Any) -> Any:
    """Return int64(g, k, sizes, layers, whole, c, m, factors).

    g holds k entries, m times the gradient; sizes the norms of the layers' gradients, `whole` that of all together. The factors are
    written; what is returned is 1 where entries of g were changed.
    """
    numbers = types.CPointer(types.float64)
    return types.int64(types.CPointer(T), types.int64, numbers, types.int64, types.float64, T, types.int64, types.CPointer(T))


call = call_of(types.int64, 8)


def _value(g, k, sizes, layers, whole, c, m, factors):
    """Limit g to [−c, c]; what is not a number stays so."""
    g = carray(g, k)
    limit, changed = c * g.dtype.type(m), 0
    for i in range(k):
        entry = g[i]
        small = limit if entry > limit else (-limit if entry < -limit else entry)
        changed |= 1 if small != entry else 0
        g[i] = small
    return changed


def _norm(g, k, sizes, layers, whole, c, m, factors):
    """min(1, c/‖g‖), ‖g‖ over all layers."""
    factors = carray(factors, layers)
    T = factors.dtype.type
    factor = T(c / whole) if whole > c else T(1)
    for l in range(layers):
        factors[l] = factor
    return 0


def _layer_norm(g, k, sizes, layers, whole, c, m, factors):
    """min(1, c/‖g^l‖) of each layer."""
    sizes, factors = carray(sizes, layers), carray(factors, layers)
    T = factors.dtype.type
    for l in range(layers):
        factors[l] = T(c / sizes[l]) if sizes[l] > c else T(1)
    return 0


KERNELS = {
    "value": (_value, signature, ENTRIES),
    "norm": (_norm, signature, ENTRIES),
    "layer_norm": (_layer_norm, signature, ENTRIES),
}
