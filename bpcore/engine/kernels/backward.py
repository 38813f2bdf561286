"""The compiled backward pass: BP1–BP4 with the norms of every layer, and the update of each on the way."""

from bpcore.engine.kernels import loss, normalization
from bpcore.engine.kernels.dropout import drop
from bpcore.engine.kernels.language import ENTRIES, inner
from bpcore.engine.kernels.loops import (
    add,
    add_scaled,
    copy,
    dot,
    multiply,
    norm,
    over_batch,
    scale,
    share_zero,
    squares,
    through_slope,
    transpose,
)
from bpcore.engine.kernels.places import (
    a_at,
    alpha_of,
    delta_at,
    gradient_at,
    normalized_after,
    normalized_before,
    parameter_at,
    part_of,
    shift_of,
    size_of,
    source_of,
    std_at,
    target_of,
    units_below,
    z_at,
)
from bpcore.engine.kernels.pointers import gemm, load, matrix, pointer, store, vector
from bpcore.engine.kernels.update import measure_gradients, update
from bpcore.engine.rows import ZERO
from bpcore.measure.quantities import BIAS_GRADIENT, DELTA, WEIGHT


@inner(ENTRIES)
def top(plan, T, row):
    """Return Σ_i J_i and write δ^L (BP1)."""
    n, m, L = plan.n_out, plan.m, plan.L
    top = pointer(plan.z, z_at(plan, row, L), T) if plan.logits == 1 else pointer(plan.a, a_at(plan, row, L), T)
    delta = delta_at(plan, row, L)
    total = loss.call(plan.loss, top, pointer(plan.y, 0, T), pointer(plan.delta, delta, T), n, m, pointer(plan.column, 0, T))
    if plan.logits == 0:
        multiply(matrix(plan.delta, delta, n, m, T), matrix(plan.slope, units_below(plan, L) * m, n, m, T))
    if plan.loss_scale != 1.0:
        scale(vector(plan.delta, delta, n * m, T), type(T)(plan.loss_scale))
    return total * plan.loss_scale


@inner(ENTRIES)
def _weight_gradient(plan, T, row, l, later):
    """Make δ^l (a^(l−1))ᵀ (BP4)."""
    n, fan_in, m, itemsize = size_of(plan, l), size_of(plan, l - 1), plan.m, plan.itemsize
    G, delta = plan.gradient + itemsize * gradient_at(plan, row, l, 0, later), plan.delta + itemsize * delta_at(plan, row, l)
    if l == 1:
        gemm(plan.gemm, 0, fan_in, n, m, plan.x, fan_in, delta, m, G, T)
        return
    below = a_at(plan, row, l - 1)
    if fan_in <= plan.longest_turned:
        transpose(vector(plan.a, below, fan_in * m, T), fan_in, m, vector(plan.turned, 0, m * fan_in, T))
        gemm(plan.gemm, 0, fan_in, n, m, plan.turned, fan_in, delta, m, G, T)
    else:
        gemm(plan.gemm, 1, fan_in, n, m, plan.a + itemsize * below, m, delta, m, G, T)


@inner(ENTRIES)
def _denormalize(plan, T, r, row, l, later):
    """Carry the error down through the normalization, write the gradients of γ and β."""
    n, m, first = size_of(plan, l), plan.m, units_below(plan, l)
    normalization.backward(
        plan.denormalize,
        pointer(plan.delta, delta_at(plan, row, l), T),
        pointer(plan.z_hat, row * plan.z_hat_columns + first * m, T),
        pointer(plan.std, std_at(plan, row, l), T),
        pointer(plan.parameters, parameter_at(plan, r, l, 2), T),
        pointer(plan.gradient, gradient_at(plan, row, l, 2, later), T),
        pointer(plan.gradient, gradient_at(plan, row, l, 3, later), T),
        pointer(plan.column, 0, T),
        n,
        m,
        plan.groups,
        plan.centered,
    )


@inner(ENTRIES)
def _share_of_branch(plan, T, r, row, l, later):
    """Keep the error at a sum a^l for the layer that it is added to, write the gradient of α, and leave α times the error."""
    entries = size_of(plan, l) * plan.m
    delta = vector(plan.delta, delta_at(plan, row, l), entries, T)
    copy(delta, vector(plan.carry, 0, entries, T))
    if part_of(plan, l, 4)[0] >= 0:
        added = vector(plan.branch, units_below(plan, l) * plan.m, entries, T)
        store(plan.gradient, gradient_at(plan, row, l, 4, later), dot(delta, added))
    scale(delta, alpha_of(plan, T, r, l))


@inner(ENTRIES)
def _through(plan, T, r, row, l, step, later):
    """Carry the error at a^l to z^l (BP2), write the gradients of b, γ and β (BP3)."""
    n, m, first = size_of(plan, l), plan.m, units_below(plan, l)
    delta, slope = matrix(plan.delta, delta_at(plan, row, l), n, m, T), matrix(plan.slope, first * m, n, m, T)
    sums = vector(plan.gradient, gradient_at(plan, row, l, 1, later), n, T)
    if normalized_before(plan, l):
        multiply(delta, slope)
        _denormalize(plan, T, r, row, l, later)
        over_batch(delta, sums)
        return
    if normalized_after(plan, l):
        if plan.drops == 1:
            drop(plan, T, r, l, step, plan.delta, delta_at(plan, row, l))
        _denormalize(plan, T, r, row, l, later)
    through_slope(delta, slope, sums)


@inner(ENTRIES)
def _through_sum_of_z(plan, T, r, row, l, step, later):
    """Do the same where z^l, or what it is normalized to, is part of a sum further up."""
    n, m, first, target = size_of(plan, l), plan.m, units_below(plan, l), target_of(plan, l)
    delta, slope = matrix(plan.delta, delta_at(plan, row, l), n, m, T), matrix(plan.slope, first * m, n, m, T)
    own, above = vector(plan.delta, delta_at(plan, row, l), n * m, T), vector(plan.delta, delta_at(plan, row, target), n * m, T)
    if normalized_after(plan, l):
        if plan.drops == 1:
            drop(plan, T, r, l, step, plan.delta, delta_at(plan, row, l))
        _denormalize(plan, T, r, row, l, later)
    multiply(delta, slope)
    if plan.post == 1:
        add(own, above)
    if normalized_before(plan, l):
        _denormalize(plan, T, r, row, l, later)
    if plan.post == 0:
        add(own, above)
    over_batch(delta, vector(plan.gradient, gradient_at(plan, row, l, 1, later), n, T))


@inner(ENTRIES)
def _through_sum_of_a(plan, T, r, row, l, step, later):
    """Do the same where a^l is a sum."""
    if plan.post == 1 and normalized_after(plan, l):
        _denormalize(plan, T, r, row, l, later)
        _share_of_branch(plan, T, r, row, l, later)
        n, m = size_of(plan, l), plan.m
        delta, slope = matrix(plan.delta, delta_at(plan, row, l), n, m, T), matrix(plan.slope, units_below(plan, l) * m, n, m, T)
        through_slope(delta, slope, vector(plan.gradient, gradient_at(plan, row, l, 1, later), n, T))
        return
    _share_of_branch(plan, T, r, row, l, later)
    _through(plan, T, r, row, l, step, later)


@inner(ENTRIES)
def _branch_gradients(plan, T, r, row, l, later):
    """Make of the gradients of what is added to z^(l−1) or z^(l−2) those of W and b, α times as large, and that of α."""
    n, fan_in = size_of(plan, l), size_of(plan, l - 1)
    G, sums = vector(plan.gradient, gradient_at(plan, row, l, 0, later), n * fan_in, T), gradient_at(plan, row, l, 1, later)
    own = vector(plan.gradient, sums, n, T)
    if part_of(plan, l, 4)[0] >= 0:
        W = vector(plan.parameters, parameter_at(plan, r, l, 0), n * fan_in, T)
        b = vector(plan.parameters, parameter_at(plan, r, l, 1), n, T)
        store(plan.gradient, gradient_at(plan, row, l, 4, later), dot(W, G) + dot(b, own))
    factor = alpha_of(plan, T, r, l)
    if factor != 1:
        scale(G, factor)
        scale(own, factor)


@inner(ENTRIES)
def backward(plan, T, r, row, step, due, census, later, norms, count):
    """Propagate the error back by BP2–BP4, and measure; update each layer on the way unless that is for later.

    Returns:
        Σ_l ‖W^l‖².
    """
    m, L, decay, weights = plan.m, plan.L, load(plan.weight_decay, r, T), 0.0
    counting = census and plan.full == 1
    top = matrix(plan.delta, delta_at(plan, row, L), plan.n_out, m, T)
    over_batch(top, vector(plan.gradient, gradient_at(plan, row, L, 1, later), plan.n_out, T))
    for l in range(L, 0, -1):
        n, fan_in = size_of(plan, l), size_of(plan, l - 1)
        if due:
            delta = vector(plan.delta, delta_at(plan, row, l), n * m, T)
            norms[DELTA, l] = norm(delta, squares(delta), plan.floor)
            if counting:
                count[ZERO, l] = share_zero(delta)
        _weight_gradient(plan, T, row, l, later)
        joins = plan.skips == 1 and source_of(plan, l) > 0
        onto_z = joins and plan.onto_a == 0
        if onto_z:
            _branch_gradients(plan, T, r, row, l, later)
        w = vector(plan.parameters, parameter_at(plan, r, l, 0), n * fan_in, T)
        if decay > 0:
            add_scaled(vector(plan.gradient, gradient_at(plan, row, l, 0, later), n * fan_in, T), w, type(T)(m) * decay)
        norms[WEIGHT, l] = norm(w, squares(w), plan.floor)
        weights += norms[WEIGHT, l] * norms[WEIGHT, l]
        measure_gradients(plan, T, plan.gradient, row * plan.gradient_columns - shift_of(plan, l, later), l, norms)
        if l > 1 or due:
            itemsize = plan.itemsize
            W, above = plan.parameters + itemsize * parameter_at(plan, r, l, 0), plan.delta + itemsize * delta_at(plan, row, l)
            gemm(plan.gemm, 2, m, fan_in, n, above, m, W, fan_in, plan.delta + itemsize * delta_at(plan, row, l - 1), T)
            if joins:
                below = vector(plan.delta, delta_at(plan, row, l - 1), fan_in * m, T)
                if onto_z:
                    scale(below, alpha_of(plan, T, r, l))
                else:
                    add(below, vector(plan.carry, 0, fan_in * m, T))
        if not later:
            update(plan, T, r, l, later, type(T)(1), step + 1, norms)
        if l > 1 and plan.skips == 1 and plan.onto_a == 0 and target_of(plan, l - 1) > 0:
            _through_sum_of_z(plan, T, r, row, l - 1, step, later)
        elif l > 1 and plan.skips == 1 and plan.onto_a == 1 and source_of(plan, l - 1) > 0:
            _through_sum_of_a(plan, T, r, row, l - 1, step, later)
        elif l > 1:
            _through(plan, T, r, row, l - 1, step, later)
        elif due:
            error, inputs = matrix(plan.delta, delta_at(plan, row, 0), fan_in, m, T), vector(plan.sums, 0, fan_in, T)
            entries = vector(plan.delta, delta_at(plan, row, 0), fan_in * m, T)
            over_batch(error, inputs)
            norms[DELTA, 0] = norm(entries, squares(entries), plan.floor)
            norms[BIAS_GRADIENT, 0] = norm(inputs, squares(inputs), plan.floor) / m
            if counting:
                count[ZERO, 0] = share_zero(entries)
    return weights
