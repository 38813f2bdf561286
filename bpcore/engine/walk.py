"""The step loop as one compiled function: BP1–BP4, the norms of every layer, clipping and the update, run after run.

One run is trained at a time with all of its arrays in the first two cache levels, so that a run's numbers depend on nothing but
itself. Products are BLAS's, everything else fused loops. Gradients are kept as sums over the batch; the 1/m goes into the step size.

`plan` holds the addresses and numbers that `Engine` lays out: `plan.z` is where the array z begins, `plan.z_columns` how many entries a
row of it has. `T` is a zero of the runs' dtype, `row` the row of a run in the arrays of a pass: its own where everything is kept.
"""

import numpy as np

from bpcore.engine.compiling import ENTRIES, Loop, inner
from bpcore.engine.kernels import activation, clip, loss, normalization, optimizer
from bpcore.engine.loops import (
    add_bias,
    add_scaled,
    copy,
    finite,
    moments,
    multiply,
    norm,
    over_batch,
    share_below,
    share_dead,
    share_equal,
    share_right,
    share_zero,
    squares,
    through_slope,
    together,
    transpose,
)
from bpcore.engine.pointers import gemm, load, matrix, pointer, store, vector
from bpcore.engine.rows import A_MEAN, A_VAR, DEAD, EQUAL, SATURATED, Z_MEAN, Z_VAR, ZERO
from bpcore.measure.quantities import BETA_GRADIENT, BIAS_GRADIENT, DELTA, GAMMA_GRADIENT, UPDATE, WEIGHT, WEIGHT_GRADIENT

TURNED = 128
"""Up to this fan-in a is transposed before δ aᵀ: BLAS is two to three times slower on it as it stands."""


@inner(ENTRIES)
def size_of(plan, l):  # type: ignore[no-untyped-def]
    """Return n_l."""
    return load(plan.sizes, l, 0)


@inner(ENTRIES)
def units_below(plan, l):  # type: ignore[no-untyped-def]
    """Return the number of units below layer l, the input left out."""
    return load(plan.units, l, 0)


@inner(ENTRIES)
def part_of(plan, l, kind):  # type: ignore[no-untyped-def]
    """Return where W, b, γ or β of a layer begins in a row of parameters, −1 where there is none, and how many entries it has."""
    n = size_of(plan, l)
    if kind == 0:
        return load(plan.weights, l, 0), n * size_of(plan, l - 1)
    if kind == 1:
        return load(plan.biases, l, 0), n
    return (load(plan.gammas, l, 0), n) if kind == 2 else (load(plan.betas, l, 0), n)


@inner(ENTRIES)
def _quantity(kind):  # type: ignore[no-untyped-def]
    """Return the quantity that the gradient of W, b, γ or β is."""
    if kind == 0:
        return WEIGHT_GRADIENT
    if kind == 1:
        return BIAS_GRADIENT
    return GAMMA_GRADIENT if kind == 2 else BETA_GRADIENT


@inner(ENTRIES)
def _parameter(plan, r, l, kind):  # type: ignore[no-untyped-def]
    """Return the place of W, b, γ or β of a run's layer among all parameters."""
    return r * plan.parameters_columns + part_of(plan, l, kind)[0]


@inner(ENTRIES)
def _shift(plan, l, later):  # type: ignore[no-untyped-def]
    """Return what a layer's gradients are moved down: to the beginning, unless those of all layers are kept."""
    return 0 if later else load(plan.own, l, 0)


@inner(ENTRIES)
def _gradient(plan, row, l, kind, later):  # type: ignore[no-untyped-def]
    """Return the place of the gradient of W, b, γ or β."""
    return row * plan.gradient_columns + part_of(plan, l, kind)[0] - _shift(plan, l, later)


@inner(ENTRIES)
def _z(plan, row, l):  # type: ignore[no-untyped-def]
    """Return the place of z^l, and of h^l among its like: one layer's takes another's place unless all are kept."""
    return row * plan.z_columns + (units_below(plan, l) * plan.m if plan.keep == 1 else 0)


@inner(ENTRIES)
def _a(plan, row, l):  # type: ignore[no-untyped-def]
    """Return the place of a^l."""
    return row * plan.a_columns + units_below(plan, l) * plan.m


@inner(ENTRIES)
def _delta(plan, row, l):  # type: ignore[no-untyped-def]
    """Return the place of δ^l: after those of the layers below where all are kept, or in one of two halves."""
    if plan.keep == 1:
        return row * plan.delta_columns + (0 if l == 0 else (plan.n_in + units_below(plan, l)) * plan.m)
    return (l % 2) * (plan.delta_columns // 2)


@inner(ENTRIES)
def _count_layer(plan, T, r, l, count):  # type: ignore[no-untyped-def]
    """Count what is saturated and dead in a layer, and measure its moments where everything is wanted."""
    n, m = size_of(plan, l), plan.m
    z = vector(plan.z, 0, n * m, T)
    h = vector(plan.h, 0, n * m, T) if part_of(plan, l, 2)[0] >= 0 else z
    slope = vector(plan.slope, units_below(plan, l) * m, n * m, T)
    count[SATURATED, l] = share_below(slope, load(plan.limits, l, 0.0)) if finite(h) else np.nan
    count[DEAD, l] = share_dead(matrix(plan.a, _a(plan, 0, l), n, m, T))
    if plan.full == 1:
        W = matrix(plan.parameters, _parameter(plan, r, l, 0), n, size_of(plan, l - 1), T)
        count[EQUAL, l] = share_equal(W, vector(plan.parameters, _parameter(plan, r, l, 1), n, T))
        count[Z_MEAN, l], count[Z_VAR, l] = moments(z)
        count[A_MEAN, l], count[A_VAR, l] = moments(vector(plan.a, _a(plan, 0, l), n * m, T))


@inner(ENTRIES)
def _normalize(plan, T, r, row, l):  # type: ignore[no-untyped-def]
    """Write h of a normalized layer, and gather the statistics of the batch."""
    n, first = size_of(plan, l), units_below(plan, l)
    at = row * plan.mean_columns + first
    normalization.forward(
        plan.normalize,
        pointer(plan.z, _z(plan, row, l), T),
        pointer(plan.parameters, _parameter(plan, r, l, 2), T),
        pointer(plan.parameters, _parameter(plan, r, l, 3), T),
        pointer(plan.h, _z(plan, row, l), T),
        pointer(plan.z_hat, row * plan.z_hat_columns + first * plan.m, T),
        pointer(plan.mean, at, T),
        pointer(plan.variance, at, T),
        pointer(plan.std, at, T),
        n,
        plan.m,
        plan.eps,
    )
    if plan.gather == 1:
        kind = type(T)
        new, old, own = kind(plan.momentum), kind(1 - plan.momentum), r * plan.means_columns + first
        for i in range(n):
            store(plan.means, own + i, old * load(plan.means, own + i, T) + new * load(plan.mean, at + i, T))
            store(plan.variances, own + i, old * load(plan.variances, own + i, T) + new * load(plan.variance, at + i, T))


@inner(ENTRIES)
def _forward(plan, T, r, row, census, count):  # type: ignore[no-untyped-def]
    """z^l = W^l a^(l−1) + b^l, a^l = φ(h^l) with φ′(h^l)."""
    m = plan.m
    for l in range(1, plan.L + 1):
        n, fan_in = size_of(plan, l), size_of(plan, l - 1)
        itemsize = plan.itemsize
        W, z = plan.parameters + itemsize * _parameter(plan, r, l, 0), plan.z + itemsize * _z(plan, row, l)
        if l == 1:
            gemm(plan.gemm, 1, m, n, fan_in, plan.x, fan_in, W, fan_in, z, T)
        else:
            gemm(plan.gemm, 0, m, n, fan_in, plan.a + itemsize * _a(plan, row, l - 1), m, W, fan_in, z, T)
        h, bias = pointer(z, 0, T), pointer(plan.parameters, _parameter(plan, r, l, 1), T)
        if part_of(plan, l, 2)[0] >= 0:
            add_bias(matrix(z, 0, n, m, T), vector(plan.parameters, _parameter(plan, r, l, 1), n, T))
            _normalize(plan, T, r, row, l)
            h, bias = pointer(plan.h, _z(plan, row, l), T), pointer(plan.zeros, 0, T)
        a, slope = pointer(plan.a, _a(plan, row, l), T), pointer(plan.slope, units_below(plan, l) * m, T)
        activation.call(load(plan.phi, l, 0), h, bias, a, slope, n, m, pointer(plan.phi_constants, 2 * l, T))
        if census:
            _count_layer(plan, T, r, l, count)


@inner(ENTRIES)
def _top(plan, T, row):  # type: ignore[no-untyped-def]
    """Return Σ_i J_i and write δ^L (BP1)."""
    n, m, L = plan.n_out, plan.m, plan.L
    top = pointer(plan.z, _z(plan, row, L), T) if plan.logits == 1 else pointer(plan.a, _a(plan, row, L), T)
    delta = _delta(plan, row, L)
    total = loss.call(plan.loss, top, pointer(plan.y, 0, T), pointer(plan.delta, delta, T), n, m, pointer(plan.column, 0, T))
    if plan.logits == 0:
        multiply(matrix(plan.delta, delta, n, m, T), matrix(plan.slope, units_below(plan, L) * m, n, m, T))
    return total


@inner(ENTRIES)
def _measure_gradients(plan, T, address, start, l, norms):  # type: ignore[no-untyped-def]
    """Write the norms of a layer's gradients, which are sums over m examples; `start` is the place of a row less its shift."""
    for kind in range(4):
        at, size = part_of(plan, l, kind)
        if at >= 0:
            g = vector(address, start + at, size, T)
            norms[_quantity(kind), l] = norm(g, squares(g), plan.floor) / plan.m


@inner(ENTRIES)
def _update(plan, T, r, l, later, factor, number, norms):  # type: ignore[no-untyped-def]
    """Add the increments of a layer's parameters, and write ‖ΔW‖."""
    scale = factor / type(T)(plan.m)
    for kind in range(4):
        at, size = part_of(plan, l, kind)
        if at < 0:
            continue
        rate = load(plan.lr, r, T) if kind == 0 or kind == 2 else load(plan.bias_lr, r, T)
        g = _gradient(plan, 0, l, kind, later)
        total = optimizer.call(
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
                norms[UPDATE, l] = norm(vector(plan.gradient, g, size, T), total, plan.floor)


@inner(ENTRIES)
def _norm_of_all(norms, scratch):  # type: ignore[no-untyped-def]
    """Return the norm of all gradients together."""
    count = 0
    for kind in range(4):
        for l in range(1, norms.shape[1]):
            scratch[count] = norms[_quantity(kind), l]
            count += 1
    return together(scratch)


@inner(ENTRIES)
def _limit(plan, T, r, row, before, norms, limited, sizes, scratch):  # type: ignore[no-untyped-def]
    """Clip the gradients: write the factor of each layer and the norms of what is clipped.

    Returns:
        The norm of all gradients afterwards, and whether any changed.
    """
    L, P = plan.L, plan.gradient_columns
    address, start = plan.gradient, row * P
    if plan.keep == 1:  # what is kept is the gradient before
        copy(vector(plan.gradient, start, P, T), vector(plan.spare, 0, P, T))
        address, start = plan.spare, 0
    kinds, factors = vector(plan.scratch, 0, 4, 0.0), vector(plan.factors, 0, L + 1, T)
    for l in range(1, L + 1):
        for kind in range(4):
            kinds[kind] = norms[_quantity(kind), l]
        sizes[l] = together(kinds)
        factors[l] = 1
    changed = clip.call(
        plan.clip, pointer(address, start, T), P, pointer(plan.totals, 1, 0.0), L, before, load(plan.threshold, r, T), plan.m, pointer(plan.factors, 1, T)
    )
    for quantity in range(7):
        for l in range(L + 1):
            limited[quantity, l] = norms[quantity, l]
    acted = changed != 0
    if acted:
        for l in range(1, L + 1):
            _measure_gradients(plan, T, address, start, l, limited)
        return _norm_of_all(limited, scratch), acted
    for i in range(4 * L):
        scratch[i] = 0.0
    for l in range(1, L + 1):
        acted = acted or (factors[l] != 1 and sizes[l] > 0)
        scratch[l - 1] = float(factors[l]) * sizes[l]
    return together(scratch) if acted else before, acted


@inner(ENTRIES)
def _deal(plan, T, r, step):  # type: ignore[no-untyped-def]
    """Gather the examples of a batch: x in rows, y in columns."""
    for j in range(plan.m):
        example = load(plan.order, r * plan.order_columns + (step - plan.start) * plan.m + j, 0)
        store(plan.batch_labels, j, load(plan.labels, example, 0))
        copy(vector(plan.examples, example * plan.n_in, plan.n_in, T), vector(plan.x, j * plan.n_in, plan.n_in, T))
        for i in range(plan.n_out):
            store(plan.y, i * plan.m + j, load(plan.targets, example * plan.n_out + i, T))


@inner(ENTRIES)
def _weight_gradient(plan, T, row, l, later):  # type: ignore[no-untyped-def]
    """Make δ^l (a^(l−1))ᵀ (BP4)."""
    n, fan_in, m, itemsize = size_of(plan, l), size_of(plan, l - 1), plan.m, plan.itemsize
    G, delta = plan.gradient + itemsize * _gradient(plan, row, l, 0, later), plan.delta + itemsize * _delta(plan, row, l)
    if l == 1:
        gemm(plan.gemm, 0, fan_in, n, m, plan.x, fan_in, delta, m, G, T)
        return
    below = _a(plan, row, l - 1)
    if fan_in <= TURNED:
        transpose(vector(plan.a, below, fan_in * m, T), fan_in, m, vector(plan.turned, 0, m * fan_in, T))
        gemm(plan.gemm, 0, fan_in, n, m, plan.turned, fan_in, delta, m, G, T)
    else:
        gemm(plan.gemm, 1, fan_in, n, m, plan.a + itemsize * below, m, delta, m, G, T)


@inner(ENTRIES)
def _through(plan, T, r, row, l, later):  # type: ignore[no-untyped-def]
    """Carry the error at a^l to z^l (BP2), write the gradients of b, γ and β (BP3)."""
    n, m, first = size_of(plan, l), plan.m, units_below(plan, l)
    delta, slope = matrix(plan.delta, _delta(plan, row, l), n, m, T), matrix(plan.slope, first * m, n, m, T)
    sums = vector(plan.gradient, _gradient(plan, row, l, 1, later), n, T)
    if part_of(plan, l, 2)[0] < 0:
        through_slope(delta, slope, sums)
        return
    multiply(delta, slope)
    normalization.backward(
        plan.denormalize,
        pointer(plan.delta, _delta(plan, row, l), T),
        pointer(plan.z_hat, row * plan.z_hat_columns + first * m, T),
        pointer(plan.std, row * plan.mean_columns + first, T),
        pointer(plan.parameters, _parameter(plan, r, l, 2), T),
        pointer(plan.gradient, _gradient(plan, row, l, 2, later), T),
        pointer(plan.gradient, _gradient(plan, row, l, 3, later), T),
        n,
        m,
    )
    over_batch(delta, sums)


@inner(ENTRIES)
def _backward(plan, T, r, row, step, due, census, later, norms, count):  # type: ignore[no-untyped-def]
    """Propagate the error back by BP2–BP4, and measure; update each layer on the way unless that is for later.

    Returns:
        Σ_l ‖W^l‖².
    """
    m, L, decay, weights = plan.m, plan.L, load(plan.weight_decay, r, T), 0.0
    counting = census and plan.full == 1
    top = matrix(plan.delta, _delta(plan, row, L), plan.n_out, m, T)
    over_batch(top, vector(plan.gradient, _gradient(plan, row, L, 1, later), plan.n_out, T))
    for l in range(L, 0, -1):
        n, fan_in = size_of(plan, l), size_of(plan, l - 1)
        if due:
            delta = vector(plan.delta, _delta(plan, row, l), n * m, T)
            norms[DELTA, l] = norm(delta, squares(delta), plan.floor)
            if counting:
                count[ZERO, l] = share_zero(delta)
        _weight_gradient(plan, T, row, l, later)
        w = vector(plan.parameters, _parameter(plan, r, l, 0), n * fan_in, T)
        if decay > 0:
            add_scaled(vector(plan.gradient, _gradient(plan, row, l, 0, later), n * fan_in, T), w, type(T)(m) * decay)
        norms[WEIGHT, l] = norm(w, squares(w), plan.floor)
        weights += norms[WEIGHT, l] * norms[WEIGHT, l]
        _measure_gradients(plan, T, plan.gradient, row * plan.gradient_columns - _shift(plan, l, later), l, norms)
        if l > 1 or due:
            itemsize = plan.itemsize
            W, above = plan.parameters + itemsize * _parameter(plan, r, l, 0), plan.delta + itemsize * _delta(plan, row, l)
            gemm(plan.gemm, 2, m, fan_in, n, above, m, W, fan_in, plan.delta + itemsize * _delta(plan, row, l - 1), T)
        if not later:
            _update(plan, T, r, l, later, type(T)(1), step + 1, norms)
        if l > 1:
            _through(plan, T, r, row, l - 1, later)
        elif due:
            error, inputs = matrix(plan.delta, _delta(plan, row, 0), fan_in, m, T), vector(plan.sums, 0, fan_in, T)
            entries = vector(plan.delta, _delta(plan, row, 0), fan_in * m, T)
            over_batch(error, inputs)
            norms[DELTA, 0] = norm(entries, squares(entries), plan.floor)
            norms[BIAS_GRADIENT, 0] = norm(inputs, squares(inputs), plan.floor) / m
            if counting:
                count[ZERO, 0] = share_zero(entries)
    return weights


@inner(ENTRIES)
def _write(plan, T, r, row, line, norms, count, census):  # type: ignore[no-untyped-def]
    """Write the norms of a line, what was counted, and the accuracy on its batch."""
    wide = plan.L + 1
    for quantity in range(7):
        at = ((quantity * plan.runs + r) * plan.lines + line) * wide
        for l in range(wide):
            store(plan.norms, at + l, norms[quantity, l])
    if census:
        for kind in range(plan.counted):
            at = ((kind * plan.runs + r) * plan.lines + line) * wide
            for l in range(wide):
                store(plan.census, at + l, count[kind, l])
    output = matrix(plan.a, _a(plan, row, plan.L), plan.n_out, plan.m, T)
    y, labels = matrix(plan.y, 0, plan.n_out, plan.m, T), vector(plan.batch_labels, 0, plan.m, 0)
    store(plan.accuracy, r * plan.lines + line, share_right(output, vector(plan.a, _a(plan, row, plan.L), plan.n_out * plan.m, T), y, labels, plan.one_logit == 1))


@inner(ENTRIES)
def _prepare(plan, T):  # type: ignore[no-untyped-def]
    """Lay out all examples as the batch that they are."""
    copy(vector(plan.examples, 0, plan.m * plan.n_in, T), vector(plan.x, 0, plan.m * plan.n_in, T))
    transpose(vector(plan.targets, 0, plan.m * plan.n_out, T), plan.m, plan.n_out, vector(plan.y, 0, plan.n_out * plan.m, T))
    copy(vector(plan.labels, 0, plan.m, 0), vector(plan.batch_labels, 0, plan.m, 0))


def _walk(plan, T, first, last, diverged):  # type: ignore[no-untyped-def]
    """Make the steps first[r] ≤ step < last[r] of every run r; write in diverged[r] at which it left the finite numbers, or −1."""
    L, keep, acts = plan.L, plan.keep == 1, plan.clip != 0
    norms, limited = matrix(plan.own_norms, 0, 7, L + 1, 0.0), matrix(plan.limited_norms, 0, 7, L + 1, 0.0)
    count, scratch, sizes = matrix(plan.counts, 0, 8, L + 1, 0.0), vector(plan.scratch, 0, 4 * L, 0.0), vector(plan.totals, 0, L + 1, 0.0)
    later = keep or acts  # the update waits until the gradients of all layers are known
    if plan.batches == 0:
        _prepare(plan, T)
    for r in range(first.size):
        row = r if keep else 0
        diverged[r] = -1
        for step in range(first[r], last[r]):
            due, line = True, 0
            if not keep:
                due, line = step % plan.every == 0, step // plan.every
            census = due and line > 0 and (plan.full == 1 or (line & (line - 1)) == 0)  # the first line is looked at
            if plan.batches == 1:
                _deal(plan, T, r, step)
            _forward(plan, T, r, row, census, count)
            data_loss = _top(plan, T, row) / plan.m
            weights = _backward(plan, T, r, row, step, due, census, later, norms, count)
            decay = float(load(plan.weight_decay, r, T))
            value = data_loss + 0.5 * decay * weights if decay > 0 else data_loss  # 0·inf is not 0
            before = _norm_of_all(norms, scratch)
            if not keep and not (np.isfinite(value) and np.isfinite(before)):
                diverged[r] = step
                break
            after, acted = before, False
            if acts:
                after, acted = _limit(plan, T, r, row, before, norms, limited, sizes, scratch)
                acted = acted and np.isfinite(before)
                if not keep:
                    for l in range(1, L + 1):
                        _update(plan, T, r, l, later, load(plan.factors, l, T), step + 1, limited)
                        norms[UPDATE, l] = limited[UPDATE, l]
            if due:
                at = r * plan.lines + line
                store(plan.loss_rows, at, value)
                store(plan.data_loss, at, data_loss)
                store(plan.before, at, before)
                store(plan.after, at, after)
                store(plan.clipped, at, np.uint8(acted))
                _write(plan, T, r, row, line, norms, count, census)


walk = Loop(_walk)
"""The loop; compiled for a dtype when it is first called with it."""
