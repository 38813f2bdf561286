"""The compiled update: clipping, the increments of the parameters, and their norms."""

from bpcore.engine.kernels import clip, optimizer
from bpcore.engine.kernels.language import ENTRIES, inner
from bpcore.engine.kernels.loops import copy, norm, squares, together
from bpcore.engine.kernels.places import gradient_at, part_of, quantity_of
from bpcore.engine.kernels.pointers import load, pointer, vector
from bpcore.measure.quantities import QUANTITIES, UPDATE, WEIGHT_GRADIENT


@inner(ENTRIES)
def _measure(plan, T, address, start, l, kind, norms):
    """Write the norm of one gradient of a layer."""
    at, size = part_of(plan, l, kind)
    if at >= 0:
        g = vector(address, start + at, size, T)
        norms[quantity_of(kind), l] = norm(g, squares(g), plan.floor) / plan.m


@inner(ENTRIES)
def measure_gradients(plan, T, address, start, l, norms):
    """Write the norms of a layer's gradients, which are sums over m examples; `start` is the place of a row less its shift."""
    for kind in range(4):
        _measure(plan, T, address, start, l, kind, norms)
    if plan.kinds > 4:  # beside a loop whose length is known
        _measure(plan, T, address, start, l, 4, norms)


@inner(ENTRIES)
def norm_of_all(norms, scratch, kinds):
    """Return the norm of all gradients together, those of the first kinds of parameters."""
    count = 0
    for kind in range(4):
        for l in range(1, norms.shape[1]):
            scratch[count] = norms[quantity_of(kind), l]
            count += 1
    if kinds > 4:
        for l in range(1, norms.shape[1]):
            scratch[count] = norms[quantity_of(4), l]
            count += 1
    return together(scratch)


@inner(ENTRIES)
def limit(plan, T, r, row, step, before, norms, limited, sizes, scratch):
    """Clip the gradients of a step: write the factor of each layer and the norms of what is clipped.

    Returns:
        The norm of all gradients afterwards, and whether any changed.
    """
    L, P = plan.L, plan.gradient_columns
    address, start = plan.gradient, row * P
    if plan.keep == 1:  # what is kept is the gradient before
        copy(vector(plan.gradient, start, P, T), vector(plan.spare, 0, P, T))
        address, start = plan.spare, 0
    kinds, factors = vector(plan.scratch, 0, plan.kinds, 0.0), vector(plan.factors, 0, L + 1, T)
    for l in range(1, L + 1):
        for kind in range(plan.kinds):
            kinds[kind] = norms[quantity_of(kind), l]
        sizes[l] = together(kinds)
        factors[l] = 1
    changed = clip.call(
        plan.clip,
        pointer(address, start, T),
        P,
        pointer(plan.totals, 1, 0.0),
        L,
        before,
        load(plan.threshold, r, T),
        plan.m,
        pointer(plan.factors, 1, T),
        pointer(plan.parameters, r * plan.parameters_columns, T),
        pointer(plan.parts, 0, 0),
        plan.part_count,
        pointer(plan.past, r * plan.past_columns, 0.0),
        step,
        plan.keep,
        plan.floor,
        pointer(plan.clip_constants, 0, 0.0),
    )
    for quantity in range(QUANTITIES):
        for l in range(L + 1):
            limited[quantity, l] = norms[quantity, l]
    acted = changed != 0
    if acted:
        for l in range(1, L + 1):
            measure_gradients(plan, T, address, start, l, limited)
        return norm_of_all(limited, scratch, plan.kinds), acted
    for i in range(plan.kinds * L):
        scratch[i] = 0.0
    for l in range(1, L + 1):
        acted = acted or (factors[l] != 1 and sizes[l] > 0)
        scratch[l - 1] = float(factors[l]) * sizes[l]
    return together(scratch) if acted else before, acted


@inner(ENTRIES)
def _update(plan, T, r, l, kind, later, factor, number, norms):
    """Add the increment of one array of a layer's parameters, if it has that."""
    at, size = part_of(plan, l, kind)
    if at < 0:
        return
    scale, step = factor / type(T)(plan.m), number - 1 - plan.start
    rates = plan.bias_lr if kind == 1 or kind == 3 else plan.lr
    rate = load(rates, r * plan.lr_columns + step, T) * load(plan.by_layer, r * plan.by_layer_columns + kind * (plan.L + 1) + l, T)
    g = gradient_at(plan, 0, l, kind, later)
    optimizer.call(
        plan.advance,
        pointer(plan.parameters, r * plan.parameters_columns + at, T),
        pointer(plan.gradient, g, T),
        pointer(plan.first, r * plan.first_columns + at, T),
        pointer(plan.second, r * plan.second_columns + at, T),
        size,
        scale,
        rate,
        number,
        pointer(plan.constants, 0, 0.0),
    )
    if kind == 0:
        if plan.proportional == 1:
            norms[UPDATE, l] = float(rate) * (float(factor) * norms[WEIGHT_GRADIENT, l])
        else:
            increment = vector(plan.gradient, g, size, T)
            norms[UPDATE, l] = norm(increment, squares(increment), plan.floor)


@inner(ENTRIES)
def update(plan, T, r, l, later, factor, number, norms):
    """Add the increments of a layer's parameters in update `number`, 1, 2, …, and write ‖ΔW‖."""
    for kind in range(4):
        _update(plan, T, r, l, kind, later, factor, number, norms)
    if plan.kinds > 4:
        _update(plan, T, r, l, 4, later, factor, number, norms)
