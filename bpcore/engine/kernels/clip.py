"""Clipping rules: the factor of each layer's gradient, or the gradient itself entry by entry or unit by unit."""

import math
from typing import Any

from numba import carray, types

from bpcore.engine.kernels.language import ENTRIES, call_of, inner
from bpcore.engine.kernels.loops import norm, scale, squares


def signature(T: Any) -> Any:
    """Return int64(g, k, sizes, layers, whole, c, m, factors, w, parts, count, past, number, keep, floor, constants).

    g holds k entries, m times the gradient, w the parameters, laid out alike; parts (count, 3) says where each array of them begins, its
    rows and columns. sizes are the norms of the layers' gradients, `whole` that of all together, past the `number` norms of the steps
    before, ascending, where the rule looks at them; with `keep` this step's does not join them. The factors are written; what is
    returned is 1 where entries of g were changed.
    """
    entries, numbers, places = types.CPointer(T), types.CPointer(types.float64), types.CPointer(types.int64)
    told = (entries, types.int64, numbers, types.int64, types.float64, T, types.int64, entries)
    more = (entries, places, types.int64, numbers, types.int64, types.int64, types.float64, numbers)
    return types.int64(*told, *more)


call = call_of(types.int64, 16)


def _value(g, k, sizes, layers, whole, c, m, factors, w, parts, count, past, number, keep, floor, constants):
    """Limit g to [−c, c]; what is not a number stays so."""
    g = carray(g, k)
    limit, changed = c * g.dtype.type(m), 0
    for i in range(k):
        entry = g[i]
        small = limit if entry > limit else (-limit if entry < -limit else entry)
        changed |= 1 if small != entry else 0
        g[i] = small
    return changed


def _norm(g, k, sizes, layers, whole, c, m, factors, w, parts, count, past, number, keep, floor, constants):
    """min(1, c/‖g‖), ‖g‖ over all layers."""
    factors = carray(factors, layers)
    T = factors.dtype.type
    factor = T(c / whole) if whole > c else T(1)
    for l in range(layers):
        factors[l] = factor
    return 0


def _per_layer(g, k, sizes, layers, whole, c, m, factors, w, parts, count, past, number, keep, floor, constants):
    """min(1, c/‖g^l‖) of each layer."""
    sizes, factors = carray(sizes, layers), carray(factors, layers)
    T = factors.dtype.type
    for l in range(layers):
        factors[l] = T(c / sizes[l]) if sizes[l] > c else T(1)
    return 0


def _adaptive(g, k, sizes, layers, whole, c, m, factors, w, parts, count, past, number, keep, floor, constants):
    """Limit ‖G_i‖ to c·max(‖W_i‖, ε) for each unit i."""
    g, w, parts, eps = carray(g, k), carray(w, k), carray(parts, (count, 3)), carray(constants, 1)[0]
    changed = 0
    for part in range(count):
        columns = parts[part, 2]
        for row in range(parts[part, 1]):
            at = parts[part, 0] + row * columns
            gradient, weights = g[at : at + columns], w[at : at + columns]
            size = norm(gradient, squares(gradient), floor) / m
            limit = c * max(norm(weights, squares(weights), floor), eps)
            if size > limit:
                scale(gradient, g.dtype.type(limit / size))
                changed = 1
    return changed


def _percentile(g, k, sizes, layers, whole, c, m, factors, w, parts, count, past, number, keep, floor, constants):
    """min(1, s/‖g‖), s the c-th percentile of the norms so far, this one included; between two of them it is interpolated."""
    past, factors = carray(past, number + 1), carray(factors, layers)
    T, place = factors.dtype.type, 0
    for i in range(number):
        place += 1 if past[i] < whole else 0
    share = min(float(c), 100.0) / 100 * number  # with c = ∞ nothing is clipped
    low = min(int(share), number - 1) if number > 0 else 0
    ends = (whole, whole)
    if number > 0:
        ends = (_with(past, place, whole, low), _with(past, place, whole, low + 1))
    gap, part = ends[1] - ends[0], share - low
    limit = ends[1] - gap * (1 - part) if part >= 0.5 else ends[0] + gap * part  # from the nearer end, so that the ends are exact
    factor = T(limit / whole) if whole > limit and whole < math.inf else T(1)
    for l in range(layers):
        factors[l] = factor
    if keep == 0:
        for i in range(number, place, -1):
            past[i] = past[i - 1]
        past[place] = whole
    return 0


@inner(ENTRIES)
def _with(past, place, new, at):
    """Return an entry of ascending numbers among which a new one stands at a place."""
    if at == place:
        return new
    return past[at] if at < place else past[at - 1]


KERNELS = {
    "value": (_value, signature, ENTRIES),
    "norm": (_norm, signature, ENTRIES),
    "per_layer": (_per_layer, signature, ENTRIES),
    "adaptive": (_adaptive, signature, ENTRIES),
    "percentile": (_percentile, signature, ENTRIES),
}
