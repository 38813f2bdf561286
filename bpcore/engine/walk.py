"""The step loop as one compiled function: BP1–BP4, the norms of every layer, clipping and the update, run after run.

One run is trained at a time with all of its arrays in the first two cache levels, so that a run's numbers depend on nothing but
itself. Products are BLAS's, everything else fused loops. Gradients are kept as sums over the batch; the 1/m goes into the step size.
"""

from typing import NamedTuple

import numba
import numpy as np

from bpcore.arrays import Array
from bpcore.engine.compiling import ENTRIES, Loop, borrowed, inner, matrix, pointer, vector
from bpcore.engine.kernels import activation, clip, loss, normalization, optimizer
from bpcore.engine.loops import (
    add_bias,
    add_scaled,
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
from bpcore.engine.rows import A_MEAN, A_VAR, DEAD, EQUAL, SATURATED, Z_MEAN, Z_VAR, ZERO
from bpcore.measure.quantities import BETA_GRADIENT, BIAS_GRADIENT, DELTA, GAMMA_GRADIENT, UPDATE, WEIGHT, WEIGHT_GRADIENT



TURNED = 128
"""Up to this fan-in a is transposed before δ aᵀ: BLAS is two to three times slower on it as it stands."""


class Kernels(NamedTuple):
    """Hold the addresses of kernels and their constants.

    Args:
        phi: of each layer's activation.
        phi_constants: (L+1, 2).
        limits: (L+1,), |φ′| below which an entry counts as saturated.
        loss: of the loss.
        logits: 1 where the loss takes z^L, 0 where it takes a^L.
        normalize: 0 where nothing is normalized.
        denormalize: its backward pass.
        evaluate: it with running statistics.
        eps: ε of it.
        momentum: ρ of its running statistics.
        advance: of the optimizer.
        proportional: 1 where Δ = −ηg.
        constants: of the optimizer.
        clip: 0 where nothing is clipped.
    """

    phi: Array
    phi_constants: Array
    limits: Array
    loss: int
    logits: int
    normalize: int
    denormalize: int
    evaluate: int
    eps: float
    momentum: float
    advance: int
    proportional: int
    constants: Array
    clip: int


class Data(NamedTuple):
    """Hold the examples in rows, and which of them make each batch.

    Args:
        x: (M, n_0).
        y: (M, n_L).
        labels: (M,), the index of each example's largest target.
        order: (R, steps, m), the examples of the batches from step `start` on; empty where every batch holds all examples.
        start: the first of these steps.
        one_logit: 1 where there is a single output, and it is a logit.
    """

    x: Array
    y: Array
    labels: Array
    order: Array
    start: int
    one_logit: int


class State(NamedTuple):
    """Hold what a step changes, one row a run.

    Args:
        parameters: (R, P).
        first: (R, P), what the optimizer keeps; (R, 0) where it keeps nothing.
        second: likewise.
        means: (R, U), running sums of the batch means of normalized units, or (R, 0).
        variances: likewise.
    """

    parameters: Array
    first: Array
    second: Array
    means: Array
    variances: Array


class Memory(NamedTuple):
    """Hold the arrays of a pass; with `keep`, a row a run in which everything stays, and else one in which little does.

    Args:
        z: (R, units·m) or one layer.
        h: likewise, where something is normalized.
        z_hat: (R or 1, units·m).
        a: (R or 1, units·m).
        slope: (1, units·m), φ′.
        delta: (R, (n_0 + units)·m), or two layers.
        gradient: (R or 1, P).
        mean: (R or 1, units), of the batch.
        variance: likewise.
        std: likewise.
        x: (m, n_0).
        y: (n_L, m).
        labels: (m,).
        column: (2m,).
        turned: room for the transpose of a layer.
        spare: (P,) where clipping works on a copy.
        zeros: as many as the widest layer has units.
        sums: as many as there are inputs.
        factors: (L + 1,), of clipping.
    """

    z: Array
    h: Array
    z_hat: Array
    a: Array
    slope: Array
    delta: Array
    gradient: Array
    mean: Array
    variance: Array
    std: Array
    x: Array
    y: Array
    labels: Array
    column: Array
    turned: Array
    spare: Array
    zeros: Array
    sums: Array
    factors: Array


class Span(NamedTuple):
    """Say which steps are made, and how.

    Args:
        keep: 1 where everything of a single step is kept, and no update is made.
        gather: 1 where the statistics of the batches are gathered.
        every: rows stand at its multiples; with `keep`, in row 0.
        full: 1 where everything is counted in every row.
        floor: of squares, see `norm`.
    """

    keep: int
    gather: int
    every: int
    full: int
    floor: float


@inner(ENTRIES)
def _count_layer(layout, kernels, state, memory, r, l, full, count):  # type: ignore[no-untyped-def]
    """Count what is saturated and dead in a layer, and measure its moments where everything is wanted."""
    m, n = memory.x.shape[0], layout.sizes[l]
    at = layout.units[l] * m
    z = vector(memory.z, 0, 0, n * m)
    h = vector(memory.h, 0, 0, n * m) if layout.gammas[l] >= 0 else z
    count[SATURATED, l] = share_below(vector(memory.slope, 0, at, n * m), kernels.limits[l]) if finite(h) else np.nan
    count[DEAD, l] = share_dead(matrix(memory.a, 0, at, n, m))
    if full:
        W = matrix(state.parameters, r, layout.weights[l], n, layout.sizes[l - 1])
        count[EQUAL, l] = share_equal(W, vector(state.parameters, r, layout.biases[l], n))
        count[Z_MEAN, l], count[Z_VAR, l] = moments(z)
        count[A_MEAN, l], count[A_VAR, l] = moments(vector(memory.a, 0, at, n * m))


@inner(ENTRIES)
def _normalize(layout, kernels, state, memory, span, r, k, l, z, h):  # type: ignore[no-untyped-def]
    """Write h of a normalized layer, and gather the statistics of the batch."""
    n, m, first, theta = layout.sizes[l], memory.x.shape[0], layout.units[l], state.parameters
    mean, variance = vector(memory.mean, k, first, n), vector(memory.variance, k, first, n)
    std, z_hat = vector(memory.std, k, first, n), vector(memory.z_hat, k, first * m, n * m)
    gamma, beta = vector(theta, r, layout.gammas[l], n), vector(theta, r, layout.betas[l], n)
    normalization.forward(kernels.normalize, z, gamma, beta, h, z_hat, mean, variance, std, n, m, kernels.eps)
    if span.gather == 1:
        means, variances = vector(state.means, r, first, n), vector(state.variances, r, first, n)
        new, old = z.dtype.type(kernels.momentum), z.dtype.type(1 - kernels.momentum)
        for i in range(n):
            means[i] = old * means[i] + new * mean[i]
            variances[i] = old * variances[i] + new * variance[i]


@inner(ENTRIES)
def _forward(layout, kernels, state, memory, span, r, census, count):  # type: ignore[no-untyped-def]
    """z^l = W^l a^(l−1) + b^l, a^l = φ(h^l) with φ′(h^l)."""
    keep, L, m = span.keep == 1, layout.sizes.size - 1, memory.x.shape[0]
    k = r if keep else 0
    for l in range(1, L + 1):
        n, fan_in, at = layout.sizes[l], layout.sizes[l - 1], layout.units[l] * m
        W, b = matrix(state.parameters, r, layout.weights[l], n, fan_in), vector(state.parameters, r, layout.biases[l], n)
        z = matrix(memory.z, k, at if keep else 0, n, m)
        if l == 1:
            np.dot(W, memory.x.T, z)
        else:
            np.dot(W, matrix(memory.a, k, layout.units[l - 1] * m, fan_in, m), z)
        h, bias = z, b
        if layout.gammas[l] >= 0:
            add_bias(z, b)
            h, bias = matrix(memory.h, k, at if keep else 0, n, m), vector(memory.zeros, 0, 0, n)
            _normalize(layout, kernels, state, memory, span, r, k, l, z, h)
        a, slope = vector(memory.a, k, at, n * m), vector(memory.slope, 0, at, n * m)
        activation.call(kernels.phi[l], h, bias, a, slope, n, m, pointer(kernels.phi_constants, 2 * l))
        if census:
            _count_layer(layout, kernels, state, memory, r, l, span.full == 1, count)


@inner(ENTRIES)
def _delta(layout, memory, keep, k, l):  # type: ignore[no-untyped-def]
    """Return δ^l: after those of the layers below where all are kept, or in one of two halves."""
    m = memory.x.shape[0]
    at = (l % 2) * (memory.delta.shape[1] // 2)
    if keep:
        at = 0 if l == 0 else (layout.sizes[0] + layout.units[l]) * m
    return matrix(memory.delta, k, at, layout.sizes[l], m)


@inner(ENTRIES)
def _top(layout, kernels, memory, keep, k):  # type: ignore[no-untyped-def]
    """Return Σ_i J_i and write δ^L (BP1)."""
    L, m = layout.sizes.size - 1, memory.x.shape[0]
    n, at = layout.sizes[L], layout.units[L] * m
    delta = _delta(layout, memory, keep, k, L)
    top = vector(memory.z, k, at if keep else 0, n * m) if kernels.logits == 1 else vector(memory.a, k, at, n * m)
    total = loss.call(kernels.loss, top, memory.y, delta, n, m, memory.column)
    if kernels.logits == 0:
        multiply(delta, matrix(memory.slope, 0, at, n, m))
    return total


@inner(ENTRIES)
def _part(layout, l, kind):  # type: ignore[no-untyped-def]
    """Return where W, b, γ or β of a layer begins in a row of parameters, −1 where there is none, and how many entries it has."""
    n = layout.sizes[l]
    if kind == 0:
        return layout.weights[l], n * layout.sizes[l - 1]
    if kind == 1:
        return layout.biases[l], n
    return (layout.gammas[l], n) if kind == 2 else (layout.betas[l], n)


@inner(ENTRIES)
def _quantity(kind):  # type: ignore[no-untyped-def]
    """Return the quantity that the gradient of W, b, γ or β is."""
    if kind == 0:
        return WEIGHT_GRADIENT
    if kind == 1:
        return BIAS_GRADIENT
    return GAMMA_GRADIENT if kind == 2 else BETA_GRADIENT


@inner(ENTRIES)
def _measure_gradients(layout, rows, k, shift, m, l, norms, floor):  # type: ignore[no-untyped-def]
    """Write the norms of a layer's gradients, which are sums over m examples."""
    for kind in range(4):
        at, size = _part(layout, l, kind)
        if at >= 0:
            g = vector(rows, k, at - shift, size)
            norms[_quantity(kind), l] = norm(g, squares(g), floor) / m


@inner(ENTRIES)
def _update(layout, kernels, state, memory, rates, r, l, shift, factor, number, own, floor):  # type: ignore[no-untyped-def]
    """Add the increments of a layer's parameters, and write ‖ΔW‖."""
    T = state.parameters.dtype.type
    scale = T(factor / T(memory.x.shape[0]))
    for kind in range(4):
        at, size = _part(layout, l, kind)
        if at < 0:
            continue
        rate = rates.lr[r] if kind == 0 or kind == 2 else rates.bias_lr[r]
        w, g = vector(state.parameters, r, at, size), vector(memory.gradient, 0, at - shift, size)
        first, second = w, w
        if state.first.shape[1] > 0:
            first = vector(state.first, r, at, size)
        if state.second.shape[1] > 0:
            second = vector(state.second, r, at, size)
        total = optimizer.call(kernels.advance, w, g, first, second, size, scale, rate, number, kernels.constants)
        if kind == 0:
            if kernels.proportional == 1:
                own[UPDATE, l] = float(rate) * (float(factor) * own[WEIGHT_GRADIENT, l])
            else:
                own[UPDATE, l] = norm(g, total, floor)


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
def _limit(layout, kernels, rates, memory, span, r, before, own, limited, sizes, scratch):  # type: ignore[no-untyped-def]
    """Clip the gradients: write the factor of each layer and the norms of what is clipped; return the norm after, and whether any changed."""
    L, m, P = own.shape[1] - 1, memory.x.shape[0], memory.gradient.shape[1]
    k = r if span.keep == 1 else 0
    T = memory.gradient.dtype.type
    rows, row = memory.gradient, k
    if span.keep == 1:  # what is kept is the gradient before
        rows, row = memory.spare, 0
        memory.spare[0, :] = memory.gradient[k]
    kinds = scratch[:4]
    for l in range(1, L + 1):
        for kind in range(4):
            kinds[kind] = own[_quantity(kind), l]
        sizes[l] = together(kinds)
        memory.factors[l] = T(1)
    changed = clip.call(
        kernels.clip, vector(rows, row, 0, P), P, pointer(sizes, 1), L, before, rates.threshold[r], m, pointer(memory.factors, 1)
    )
    limited[:] = own
    acted = changed != 0
    if acted:
        for l in range(1, L + 1):
            _measure_gradients(layout, rows, row, 0, m, l, limited, span.floor)
        return _norm_of_all(limited, scratch), acted
    scratch[:] = 0.0
    for l in range(1, L + 1):
        acted = acted or (memory.factors[l] != 1 and sizes[l] > 0)
        scratch[l - 1] = float(memory.factors[l]) * sizes[l]
    return together(scratch) if acted else before, acted


@inner(ENTRIES)
def _deal(data, memory, r, step):  # type: ignore[no-untyped-def]
    """Gather the examples of a batch."""
    for j in range(memory.x.shape[0]):
        example = data.order[r, step - data.start, j]
        memory.labels[j] = data.labels[example]
        for i in range(memory.x.shape[1]):
            memory.x[j, i] = data.x[example, i]
        for i in range(memory.y.shape[0]):
            memory.y[i, j] = data.y[example, i]


@inner(ENTRIES)
def _weight_gradient(layout, memory, k, l, delta, G):  # type: ignore[no-untyped-def]
    """Make δ^l (a^(l−1))ᵀ (BP4)."""
    fan_in, m = layout.sizes[l - 1], memory.x.shape[0]
    if l == 1:
        np.dot(delta, memory.x, G)
        return
    below = matrix(memory.a, k, layout.units[l - 1] * m, fan_in, m)
    if fan_in <= TURNED:
        turned = matrix(memory.turned, 0, 0, m, fan_in)
        transpose(below, turned)
        np.dot(delta, turned, G)
    else:
        np.dot(delta, below.T, G)


@inner(ENTRIES)
def _through(layout, kernels, state, memory, keep, r, k, l, shift, delta):  # type: ignore[no-untyped-def]
    """Carry the error at a^l to z^l (BP2), write the gradients of b, γ and β (BP3), and return Σ δ²."""
    n, m = layout.sizes[l], memory.x.shape[0]
    slope = matrix(memory.slope, 0, layout.units[l] * m, n, m)
    sums = vector(memory.gradient, k, layout.biases[l] - shift, n)
    if layout.gammas[l] < 0:
        return through_slope(delta, slope, sums)
    multiply(delta, slope)
    normalization.backward(
        kernels.denormalize,
        delta,
        vector(memory.z_hat, k, layout.units[l] * m, n * m),
        vector(memory.std, k, layout.units[l], n),
        vector(state.parameters, r, layout.gammas[l], n),
        vector(memory.gradient, k, layout.gammas[l] - shift, n),
        vector(memory.gradient, k, layout.betas[l] - shift, n),
        n,
        m,
    )
    return over_batch(delta, sums)


@inner(ENTRIES)
def _backward(layout, kernels, rates, state, memory, span, r, step, due, census, later, own, count):  # type: ignore[no-untyped-def]
    """Propagate the error back by BP2–BP4, and measure; update each layer on the way unless that is for later.

    Returns:
        Σ_l ‖W^l‖², and ‖ΔW‖ and all other norms in `own`.
    """
    keep, L, m = span.keep == 1, layout.sizes.size - 1, memory.x.shape[0]
    k, decay, weights = r if keep else 0, rates.weight_decay[r], 0.0
    counting = census and span.full == 1
    T = state.parameters.dtype.type
    shift = 0 if later else layout.own[L]
    delta = _delta(layout, memory, keep, k, L)
    total = over_batch(delta, vector(memory.gradient, k, layout.biases[L] - shift, layout.sizes[L]))
    for l in range(L, 0, -1):
        n, fan_in = layout.sizes[l], layout.sizes[l - 1]
        if due:
            entries = numba.carray(pointer(delta, 0), (n * m,))
            own[DELTA, l] = norm(entries, total, span.floor)
            if counting:
                count[ZERO, l] = share_zero(entries)
        W, w = matrix(state.parameters, r, layout.weights[l], n, fan_in), vector(state.parameters, r, layout.weights[l], n * fan_in)
        G = matrix(memory.gradient, k, layout.weights[l] - shift, n, fan_in)
        _weight_gradient(layout, memory, k, l, delta, G)
        if decay > 0:
            add_scaled(vector(memory.gradient, k, layout.weights[l] - shift, n * fan_in), w, T(m) * decay)
        own[WEIGHT, l] = norm(w, squares(w), span.floor)
        weights += own[WEIGHT, l] * own[WEIGHT, l]
        _measure_gradients(layout, memory.gradient, k, shift, m, l, own, span.floor)
        below = _delta(layout, memory, keep, k, l - 1)
        if l > 1 or due:
            np.dot(W.T, delta, below)
        if not later:
            _update(layout, kernels, state, memory, rates, r, l, shift, T(1), step + 1, own, span.floor)
        if l > 1:
            shift = 0 if later else layout.own[l - 1]
            total = _through(layout, kernels, state, memory, keep, r, k, l - 1, shift, below)
        elif due:
            entries, inputs = numba.carray(pointer(below, 0), (fan_in * m,)), vector(memory.sums, 0, 0, fan_in)
            own[DELTA, 0] = norm(entries, over_batch(below, inputs), span.floor)
            own[BIAS_GRADIENT, 0] = norm(inputs, squares(inputs), span.floor) / m
            if counting:
                count[ZERO, 0] = share_zero(entries)
        delta = below
    return weights


@inner(ENTRIES)
def _write(layout, data, memory, rows, k, r, row, own, count, census):  # type: ignore[no-untyped-def]
    """Write the norms of a row, what was counted, and the accuracy on its batch."""
    L, m = own.shape[1] - 1, memory.x.shape[0]
    for quantity in range(7):
        for l in range(L + 1):
            rows.norms[quantity, r, row, l] = own[quantity, l]
    if census:
        for kind in range(rows.census.shape[0]):
            for l in range(L + 1):
                rows.census[kind, r, row, l] = count[kind, l]
    output = matrix(memory.a, k, layout.units[L] * m, layout.sizes[L], m)
    rows.accuracy[r, row] = share_right(output, memory.y, memory.labels, data.one_logit == 1)


def _walk(layout, kernels, rates, data, state, memory, rows, span, first, last, diverged):  # type: ignore[no-untyped-def]
    """Make the steps first[r] ≤ step < last[r] of every run r; write in diverged[r] at which it left the finite numbers, or −1."""
    layout, kernels, rates, data = borrowed(layout), borrowed(kernels), borrowed(rates), borrowed(data)
    state, memory, rows = borrowed(state), borrowed(memory), borrowed(rows)
    L, m = layout.sizes.size - 1, memory.x.shape[0]
    own, limited = np.full((7, L + 1), np.nan), np.full((7, L + 1), np.nan)
    own[WEIGHT_GRADIENT:, :], own[UPDATE, :] = 0.0, np.nan
    count = np.full((8, L + 1), np.nan)
    scratch, sizes = np.zeros(4 * L), np.zeros(L + 1)
    keep, acts = span.keep == 1, kernels.clip != 0
    later = keep or acts  # the update waits until the gradients of all layers are known
    if data.order.shape[1] == 0:
        memory.x[:, :] = data.x
        transpose(data.y, memory.y)
        memory.labels[:] = data.labels
    for r in range(first.size):
        k = r if keep else 0
        diverged[r] = -1
        for step in range(first[r], last[r]):
            due, row = True, 0
            if not keep:
                due, row = step % span.every == 0, step // span.every
            census = due and row > 0 and (span.full == 1 or (row & (row - 1)) == 0)  # row 0 is looked at
            if data.order.shape[1] > 0:
                _deal(data, memory, r, step)
            _forward(layout, kernels, state, memory, span, r, census, count)
            data_loss = float(_top(layout, kernels, memory, keep, k)) / m
            weights = _backward(layout, kernels, rates, state, memory, span, r, step, due, census, later, own, count)
            decay = float(rates.weight_decay[r])
            value = data_loss + 0.5 * decay * weights if decay > 0 else data_loss  # 0·inf is not 0
            before = _norm_of_all(own, scratch)
            if not keep and not (np.isfinite(value) and np.isfinite(before)):
                diverged[r] = step
                break
            after, acted = before, False
            if acts:
                after, acted = _limit(layout, kernels, rates, memory, span, r, before, own, limited, sizes, scratch)
                acted = acted and np.isfinite(before)
                if not keep:
                    for l in range(1, L + 1):
                        _update(layout, kernels, state, memory, rates, r, l, 0, memory.factors[l], step + 1, limited, span.floor)
                        own[UPDATE, l] = limited[UPDATE, l]
            if due:
                rows.loss[r, row], rows.data_loss[r, row] = value, data_loss
                rows.before[r, row], rows.after[r, row], rows.clipped[r, row] = before, after, acted
                _write(layout, data, memory, rows, k, r, row, own, count, census)


walk = Loop(_walk)
"""The loop; compiled for a dtype when it is first called with it."""
