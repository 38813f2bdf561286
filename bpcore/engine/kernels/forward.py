"""The compiled forward pass: z^l = W^l a^(l−1) + b^l, a^l = φ(h^l), and what is counted of a layer on the way."""

import numpy as np

from bpcore.engine.kernels import formulas, normalization
from bpcore.engine.kernels.dropout import drop, drop_both
from bpcore.engine.kernels.language import ENTRIES, inner
from bpcore.engine.kernels.loops import (
    add_bias,
    copy,
    finite,
    join,
    moments,
    share_below,
    share_dead,
    share_equal,
    transpose,
)
from bpcore.engine.kernels.places import (
    a_at,
    alpha_of,
    normalized_after,
    normalized_before,
    parameter_at,
    size_of,
    source_of,
    std_at,
    units_below,
    z_at,
)
from bpcore.engine.kernels.pointers import gemm, load, matrix, pointer, store, vector
from bpcore.engine.rows import A_MEAN, A_VAR, DEAD, EQUAL, SATURATED, Z_MEAN, Z_VAR


@inner(ENTRIES)
def deal(plan, T, r, step):
    """Gather the examples of a batch: x in rows, y in columns."""
    for j in range(plan.m):
        example = load(plan.order, r * plan.order_columns + (step - plan.start) * plan.m + j, 0)
        store(plan.batch_labels, j, load(plan.labels, example, 0))
        copy(vector(plan.examples, example * plan.n_in, plan.n_in, T), vector(plan.x, j * plan.n_in, plan.n_in, T))
        for i in range(plan.n_out):
            store(plan.y, i * plan.m + j, load(plan.targets, example * plan.n_out + i, T))


@inner(ENTRIES)
def prepare(plan, T):
    """Lay out all examples as the batch that they are."""
    copy(vector(plan.examples, 0, plan.m * plan.n_in, T), vector(plan.x, 0, plan.m * plan.n_in, T))
    transpose(vector(plan.targets, 0, plan.m * plan.n_out, T), plan.m, plan.n_out, vector(plan.y, 0, plan.n_out * plan.m, T))
    copy(vector(plan.labels, 0, plan.m, 0), vector(plan.batch_labels, 0, plan.m, 0))


@inner(ENTRIES)
def _count_layer(plan, T, r, l, count):
    """Count what is saturated in a layer, and measure its moments where everything is wanted, but for those of a."""
    n, m = size_of(plan, l), plan.m
    z = vector(plan.z, z_at(plan, 0, l), n * m, T)
    h = vector(plan.h, z_at(plan, 0, l), n * m, T) if normalized_before(plan, l) else z
    slope = vector(plan.slope, units_below(plan, l) * m, n * m, T)
    limit = load(plan.limits, l, 0.0)  # not a number where φ′ has no bound
    count[SATURATED, l] = share_below(slope, limit) if limit == limit and finite(h) else np.nan
    if plan.full == 1:
        count[Z_MEAN, l], count[Z_VAR, l] = moments(z)
        W = matrix(plan.parameters, parameter_at(plan, r, l, 0), n, size_of(plan, l - 1), T)
        count[EQUAL, l] = share_equal(W, vector(plan.parameters, parameter_at(plan, r, l, 1), n, T))


@inner(ENTRIES)
def _normalize(plan, T, r, row, l, source, target):
    """Write what a layer is normalized to, and gather the statistics of the batch."""
    n, first = size_of(plan, l), units_below(plan, l)
    at = row * plan.mean_columns + first
    normalization.forward(
        plan.normalize,
        source,
        pointer(plan.parameters, parameter_at(plan, r, l, 2), T),
        pointer(plan.parameters, parameter_at(plan, r, l, 3), T),
        target,
        pointer(plan.z_hat, row * plan.z_hat_columns + first * plan.m, T),
        pointer(plan.mean, at, T),
        pointer(plan.variance, at, T),
        pointer(plan.std, std_at(plan, row, l), T),
        pointer(plan.column, 0, T),
        n,
        plan.m,
        plan.eps,
        plan.groups,
        plan.centered,
    )
    if plan.gather == 1 and plan.groups == 0:
        kind = type(T)
        new, old, own = kind(plan.momentum), kind(1 - plan.momentum), r * plan.means_columns + first
        for i in range(n):
            store(plan.means, own + i, old * load(plan.means, own + i, T) + new * load(plan.mean, at + i, T))
            store(plan.variances, own + i, old * load(plan.variances, own + i, T) + new * load(plan.variance, at + i, T))


@inner(ENTRIES)
def _drop(plan, T, r, row, l, step, normalized):
    """Lay a layer's mask on a^l, and on φ′(h^l) where no normalization is between."""
    if normalized:
        drop(plan, T, r, l, step, plan.a, a_at(plan, row, l))
    else:
        drop_both(plan, T, r, l, step, a_at(plan, row, l), units_below(plan, l) * plan.m)


@inner(ENTRIES)
def _join_z(plan, T, r, row, l):
    """Add α(W^l a^(l−1) + b^l) to the sum below, in its place."""
    n, m, source = size_of(plan, l), plan.m, source_of(plan, l)
    at, sums = z_at(plan, row, l), plan.h if plan.post == 1 and normalized_before(plan, source_of(plan, l)) else plan.z
    add_bias(matrix(plan.z, at, n, m, T), vector(plan.parameters, parameter_at(plan, r, l, 1), n, T))
    own = vector(plan.z, at, n * m, T)
    join(own, alpha_of(plan, T, r, l), vector(sums, z_at(plan, row, source), n * m, T), own)


@inner(ENTRIES)
def _join_a(plan, T, r, row, l, step):
    """Add α φ(h^l) to a^(l−1), normalized before or after that, and keep what was added."""
    entries, at, after = size_of(plan, l) * plan.m, a_at(plan, row, l), normalized_after(plan, l)
    own, a = vector(plan.a, at, entries, T), pointer(plan.a, at, T)
    if after and plan.post == 0:
        _normalize(plan, T, r, row, l, a, a)
    if plan.drops == 1:
        _drop(plan, T, r, row, l, step, after and plan.post == 0)
    copy(own, vector(plan.branch, units_below(plan, l) * plan.m, entries, T))
    join(own, alpha_of(plan, T, r, l), vector(plan.a, a_at(plan, row, source_of(plan, l)), entries, T), own)
    if after and plan.post == 1:
        _normalize(plan, T, r, row, l, a, a)


@inner(ENTRIES)
def forward(plan, T, r, row, step, census, count):
    """z^l = W^l a^(l−1) + b^l, a^l = φ(h^l) ⊙ M^l with φ′(h^l), which a mask is laid on as well unless a normalization is between."""
    m = plan.m
    for l in range(1, plan.L + 1):
        n, fan_in = size_of(plan, l), size_of(plan, l - 1)
        itemsize = plan.itemsize
        W, z = plan.parameters + itemsize * parameter_at(plan, r, l, 0), plan.z + itemsize * z_at(plan, row, l)
        if l == 1:
            gemm(plan.gemm, 1, m, n, fan_in, plan.x, fan_in, W, fan_in, z, T)
        else:
            gemm(plan.gemm, 0, m, n, fan_in, plan.a + itemsize * a_at(plan, row, l - 1), m, W, fan_in, z, T)
        h, bias = pointer(z, 0, T), pointer(plan.parameters, parameter_at(plan, r, l, 1), T)
        joins = plan.skips == 1 and source_of(plan, l) > 0
        if joins and plan.onto_a == 0:
            _join_z(plan, T, r, row, l)
            bias = pointer(plan.zeros, 0, T)
        if normalized_before(plan, l):
            if not (joins and plan.onto_a == 0):
                add_bias(matrix(z, 0, n, m, T), vector(plan.parameters, parameter_at(plan, r, l, 1), n, T))
            h, bias = pointer(plan.h, z_at(plan, row, l), T), pointer(plan.zeros, 0, T)
            _normalize(plan, T, r, row, l, pointer(z, 0, T), h)
        a, slope = pointer(plan.a, a_at(plan, row, l), T), pointer(plan.slope, units_below(plan, l) * m, T)
        formulas.call(load(plan.phi, l, 0), h, bias, a, slope, n, m, pointer(plan.phi_constants, 2 * l, T))
        if census:  # a unit is dead by its φ, whatever becomes of it
            count[DEAD, l] = share_dead(matrix(plan.a, a_at(plan, row, l), n, m, T))
            _count_layer(plan, T, r, l, count)
        if joins and plan.onto_a == 1:
            _join_a(plan, T, r, row, l, step)
        elif normalized_after(plan, l):
            _normalize(plan, T, r, row, l, a, a)
        if plan.drops == 1 and l < plan.L and not (joins and plan.onto_a == 1):
            _drop(plan, T, r, row, l, step, normalized_after(plan, l))
        if census and plan.full == 1:
            count[A_MEAN, l], count[A_VAR, l] = moments(vector(plan.a, a_at(plan, 0, l), n * m, T))
