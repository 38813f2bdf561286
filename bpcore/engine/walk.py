"""The step loop as one compiled function: BP1–BP4, the norms of every layer, clipping and the update, run after run.

One run is trained at a time with all of its arrays in the first two cache levels, so that a run's numbers depend on nothing but
itself. Products are BLAS's, everything else fused loops. Gradients are kept as sums over the batch; the 1/m goes into the step size.
"""

from typing import NamedTuple

import numpy as np

from bpcore.arrays import Array
from bpcore.engine.compiling import ENTRIES, Loop, inner
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



class Kernels(NamedTuple):
    """Hold the addresses of kernels and their constants.

    Args:
        phi: of each layer's activation.
        phi_constants: (L+1, 2).
        limits: (L+1,), |φ′| below which an entry counts as saturated.
        loss: of the loss.
        logits: 1 where the loss takes z^L, 0 where it takes a^L.
        loss_scale: factor on J_i.
        normalize: 0 where nothing is normalized.
        denormalize: its backward pass.
        eps: ε of it.
        momentum: ρ of its running statistics.
        advance: of the optimizer.
        proportional: 1 where Δ = −ηg.
        constants: of the optimizer.
        clip: 0 where nothing is clipped.
        clips_entries: 1 where clipping does more than scale.
    """

    phi: Array
    phi_constants: Array
    limits: Array
    loss: int
    logits: int
    normalize: int
    denormalize: int
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
def _matrix(row, at, n, m):  # type: ignore[no-untyped-def]
    return row[at : at + n * m].reshape(n, m)


@inner(ENTRIES)
def _count_layer(layout, kernels, theta, memory, l, full, row):  # type: ignore[no-untyped-def]
    """Count what is saturated and dead in a layer, and measure its moments where everything is wanted."""
    m = memory.x.shape[0]
    n, at = layout.sizes[l], layout.units[l] * m
    z = memory.z[0][:  n * m]
    h = memory.h[0][: n * m] if layout.gammas[l] >= 0 else z
    a, slope = memory.a[0][at : at + n * m], memory.slope[0][at : at + n * m]
    row[SATURATED, l] = share_below(slope, kernels.limits[l]) if finite(h) else np.nan
    row[DEAD, l] = share_dead(a.reshape(n, m))
    if full:
        W = _matrix(theta, layout.weights[l], n, layout.sizes[l - 1])
        row[EQUAL, l] = share_equal(W, theta[layout.biases[l] : layout.biases[l] + n])
        row[Z_MEAN, l], row[Z_VAR, l] = moments(z)
        row[A_MEAN, l], row[A_VAR, l] = moments(a)


@inner(ENTRIES)
def _forward(layout, kernels, theta, memory, r, keep, span, state, census, count):  # type: ignore[no-untyped-def]
    """z^l = W^l a^(l−1) + b^l, a^l = φ(h^l) with φ′(h^l)."""
    k, L, m = r if keep else 0, layout.sizes.size - 1, memory.x.shape[0]
    for l in range(1, L + 1):
        n, fan_in, at = layout.sizes[l], layout.sizes[l - 1], layout.units[l] * m
        W = _matrix(theta, layout.weights[l], n, fan_in)
        b = theta[layout.biases[l] : layout.biases[l] + n]
        z = _matrix(memory.z[k], at if keep else 0, n, m)
        a, slope = _matrix(memory.a[k], at, n, m), _matrix(memory.slope[0], at, n, m)
        if l == 1:
            np.dot(W, memory.x.T, z)
        else:
            np.dot(W, _matrix(memory.a[k], layout.units[l - 1] * m, fan_in, m), z)
        if layout.gammas[l] >= 0:
            add_bias(z, b)
            h, z_hat = _matrix(memory.h[k], at if keep else 0, n, m), _matrix(memory.z_hat[k], at, n, m)
            units = slice(layout.units[l], layout.units[l] + n)
            mean, variance, std = memory.mean[k][units], memory.variance[k][units], memory.std[k][units]
            gamma, beta = theta[layout.gammas[l] : layout.gammas[l] + n], theta[layout.betas[l] : layout.betas[l] + n]
            normalization.forward(kernels.normalize, z, gamma, beta, h, z_hat, mean, variance, std, n, m, kernels.eps)
            if span.gather == 1:
                means, variances = state.means[r][units], state.variances[r][units]
                new, old = z.dtype.type(kernels.momentum), z.dtype.type(1 - kernels.momentum)
                for i in range(n):
                    means[i] = old * means[i] + new * mean[i]
                    variances[i] = old * variances[i] + new * variance[i]
            activation.call(kernels.phi[l], h, memory.zeros, a, slope, n, m, kernels.phi_constants[l])
        else:
            activation.call(kernels.phi[l], z, b, a, slope, n, m, kernels.phi_constants[l])
        if census:
            _count_layer(layout, kernels, theta, memory, l, span.full == 1, count)


@inner(ENTRIES)
def _top(layout, kernels, memory, k, keep):  # type: ignore[no-untyped-def]
    """Return Σ_i J_i and write δ^L (BP1)."""
    L, m = layout.sizes.size - 1, memory.x.shape[0]
    n, at = layout.sizes[L], layout.units[L] * m
    delta = _matrix(memory.delta[k], _delta_at(layout, m, L, keep, memory), n, m)
    top = _matrix(memory.z[k], at if keep else 0, n, m) if kernels.logits else _matrix(memory.a[k], at, n, m)
    total = loss.call(kernels.loss, top, memory.y, delta, n, m, memory.column)
    if not kernels.logits:
        multiply(delta, _matrix(memory.slope[0], at, n, m))
    return total


@inner(ENTRIES)
def _delta_at(layout, m, l, keep, memory):  # type: ignore[no-untyped-def]
    """Return where δ^l begins in its row: after those below it, or in one of two halves."""
    if keep:
        return 0 if l == 0 else (layout.sizes[0] + layout.units[l]) * m
    return (l % 2) * (memory.delta.shape[1] // 2)


@inner(ENTRIES)
def _update(layout, kernels, state, memory, rates, r, l, shift, factor, number, own, floor):  # type: ignore[no-untyped-def]
    """Add the increments of a layer's parameters, and write ‖ΔW‖."""
    m, theta = memory.x.shape[0], state.parameters[r]
    n, start = layout.sizes[l], layout.weights[l]
    gradient = memory.gradient[0]
    T = theta.dtype.type
    scale = T(factor / T(m))
    kept = state.first.shape[1] > 0
    for kind in range(4):
        at, size, rate = start, n * layout.sizes[l - 1], rates.lr[r]
        if kind == 1:
            at, size, rate = layout.biases[l], n, rates.bias_lr[r]
        elif kind == 2:
            at, size = layout.gammas[l], n
        elif kind == 3:
            at, size, rate = layout.betas[l], n, rates.bias_lr[r]
        if at < 0:
            continue
        w, g = theta[at : at + size], gradient[at - shift : at - shift + size]
        first = state.first[r][at : at + size] if kept else w
        second = state.second[r][at : at + size] if state.second.shape[1] > 0 else w
        total = optimizer.call(kernels.advance, w, g, first, second, size, scale, rate, number, kernels.constants)
        if kind == 0:
            if kernels.proportional:
                own[UPDATE, l] = float(rate) * (float(factor) * own[WEIGHT_GRADIENT, l])
            else:
                own[UPDATE, l] = norm(g, total, floor)


@inner(ENTRIES)
def _measure_gradients(layout, gradient, shift, m, l, own, floor):  # type: ignore[no-untyped-def]
    """Write the norms of a layer's gradients."""
    n = layout.sizes[l]
    for quantity, at, size in (
        (WEIGHT_GRADIENT, layout.weights[l], n * layout.sizes[l - 1]),
        (BIAS_GRADIENT, layout.biases[l], n),
        (GAMMA_GRADIENT, layout.gammas[l], n),
        (BETA_GRADIENT, layout.betas[l], n),
    ):
        if at >= 0:
            g = gradient[at - shift : at - shift + size]
            own[quantity, l] = norm(g, squares(g), floor) / m


@inner(ENTRIES)
def _norm_of_all(layout, own, scratch):  # type: ignore[no-untyped-def]
    """Return the norm of all gradients together."""
    count = 0
    for quantity in (WEIGHT_GRADIENT, BIAS_GRADIENT, GAMMA_GRADIENT, BETA_GRADIENT):
        for l in range(1, layout.sizes.size):
            scratch[count] = own[quantity, l]
            count += 1
    return together(scratch)


def _walk(layout, kernels, rates, data, state, memory, rows, span, first, last, diverged):  # type: ignore[no-untyped-def]
    """Make the steps first[r] ≤ step < last[r] of every run r; write in diverged[r] at which it left the finite numbers, or −1."""
    L, m = layout.sizes.size - 1, memory.x.shape[0]
    n_in, n_out = layout.sizes[0], layout.sizes[L]
    own = np.zeros((7, L + 1))
    scratch = np.zeros(4 * L)
    sizes = np.zeros(L + 1)
    count = np.zeros((8, L + 1))
    kinds = np.zeros(4)
    keep, acts = span.keep == 1, kernels.clip != 0
    batches = data.order.shape[1] > 0
    later = keep or acts  # the update waits until the gradients of all layers are known
    T = rates.lr.dtype.type
    if not batches:
        memory.x[:, :] = data.x
        transpose(data.y, memory.y)
        memory.labels[:] = data.labels
    for r in range(first.size):
        k = r if keep else 0
        theta, gradient = state.parameters[r], memory.gradient[k]
        diverged[r] = -1
        for step in range(first[r], last[r]):
            due = keep or step % span.every == 0
            row = 0 if keep else step // span.every
            glance = due and not keep and row > 0 and (row & (row - 1)) == 0
            census = not keep and due and (span.full == 1 or glance)
            if batches:
                for j in range(m):
                    example = data.order[r, step - data.start, j]
                    memory.labels[j] = data.labels[example]
                    for i in range(n_in):
                        memory.x[j, i] = data.x[example, i]
                    for i in range(n_out):
                        memory.y[i, j] = data.y[example, i]

            _forward(layout, kernels, theta, memory, r, keep, span, state, census, count)
            data_loss = float(_top(layout, kernels, memory, k, keep)) / m
            decay, weights = rates.weight_decay[r], 0.0

            delta = _matrix(memory.delta[k], _delta_at(layout, m, L, keep, memory), n_out, m)
            shift = 0 if later else layout.own[L]
            b_at = layout.biases[L] - shift
            total = over_batch(delta, gradient[b_at : b_at + n_out])
            for l in range(L, 0, -1):
                n, fan_in = layout.sizes[l], layout.sizes[l - 1]
                shift = 0 if later else layout.own[l]
                if due:
                    flat = delta.reshape(-1)
                    own[DELTA, l] = norm(flat, total, span.floor)
                    if span.full == 1 and census:
                        count[ZERO, l] = share_zero(flat)
                W = _matrix(theta, layout.weights[l], n, fan_in)
                G = _matrix(gradient, layout.weights[l] - shift, n, fan_in)
                if l == 1:
                    np.dot(delta, memory.x, G)
                else:
                    below = _matrix(memory.a[k], layout.units[l - 1] * m, fan_in, m)
                    if fan_in <= 128:
                        turned = memory.turned[: m * fan_in].reshape(m, fan_in)
                        transpose(below, turned)
                        np.dot(delta, turned, G)
                    else:
                        np.dot(delta, below.T, G)
                flat_W = W.reshape(-1)
                if decay > 0:
                    add_scaled(G.reshape(-1), flat_W, T(m) * decay)
                own[WEIGHT, l] = norm(flat_W, squares(flat_W), span.floor)
                weights += own[WEIGHT, l] * own[WEIGHT, l]
                _measure_gradients(layout, gradient, shift, m, l, own, span.floor)
                error = _matrix(memory.delta[k], _delta_at(layout, m, l - 1, keep, memory), fan_in, m)
                if l > 1 or due:
                    np.dot(W.T, delta, error)
                if not later:
                    _update(layout, kernels, state, memory, rates, r, l, shift, T(1), step + 1, own, span.floor)
                if l > 1:
                    slope = _matrix(memory.slope[0], layout.units[l - 1] * m, fan_in, m)
                    shift = 0 if later else layout.own[l - 1]
                    b_at = layout.biases[l - 1] - shift
                    sums = gradient[b_at : b_at + fan_in]
                    if layout.gammas[l - 1] >= 0:
                        multiply(error, slope)
                        units = slice(layout.units[l - 1], layout.units[l - 1] + fan_in)
                        g_at, e_at = layout.gammas[l - 1], layout.betas[l - 1]
                        normalization.backward(
                            kernels.denormalize,
                            error,
                            _matrix(memory.z_hat[k], layout.units[l - 1] * m, fan_in, m),
                            memory.std[k][units],
                            theta[g_at : g_at + fan_in],
                            gradient[g_at - shift : g_at - shift + fan_in],
                            gradient[e_at - shift : e_at - shift + fan_in],
                            fan_in,
                            m,
                        )
                        total = over_batch(error, sums)
                    else:
                        total = through_slope(error, slope, sums)
                elif due:
                    inputs = memory.sums[:n_in]
                    own[DELTA, 0] = norm(error.reshape(-1), over_batch(error, inputs), span.floor)
                    own[BIAS_GRADIENT, 0] = norm(inputs, squares(inputs), span.floor) / m
                    if span.full == 1 and census:
                        count[ZERO, 0] = share_zero(error.reshape(-1))
                delta = error

            value = data_loss + 0.5 * float(decay) * weights if decay > 0 else data_loss  # 0·inf is not 0
            before = _norm_of_all(layout, own, scratch)
            lost = not (np.isfinite(value) and np.isfinite(before))
            if lost and not keep:
                diverged[r] = step
                break
            after, acted = before, False
            if acts:
                limited = gradient
                if keep:
                    limited = memory.spare
                    limited[:] = gradient
                for l in range(1, L + 1):
                    for kind in range(4):
                        kinds[kind] = 0.0
                    kinds[0], kinds[1] = own[WEIGHT_GRADIENT, l], own[BIAS_GRADIENT, l]
                    kinds[2], kinds[3] = own[GAMMA_GRADIENT, l], own[BETA_GRADIENT, l]
                    sizes[l] = together(kinds)
                    memory.factors[l] = T(1)
                changed = clip.call(
                    kernels.clip, limited, limited.size, sizes[1:], L, before, rates.threshold[r], m, memory.factors[1:]
                )
                acted = changed != 0
                if acted:
                    for l in range(1, L + 1):
                        kept_W = own[WEIGHT_GRADIENT, l], own[BIAS_GRADIENT, l], own[GAMMA_GRADIENT, l], own[BETA_GRADIENT, l]
                        _measure_gradients(layout, limited, 0, m, l, own, span.floor)
                        sizes[l] = own[WEIGHT_GRADIENT, l]
                        scratch[l - 1], scratch[L + l - 1] = own[WEIGHT_GRADIENT, l], own[BIAS_GRADIENT, l]
                        scratch[2 * L + l - 1], scratch[3 * L + l - 1] = own[GAMMA_GRADIENT, l], own[BETA_GRADIENT, l]
                        own[WEIGHT_GRADIENT, l], own[BIAS_GRADIENT, l], own[GAMMA_GRADIENT, l], own[BETA_GRADIENT, l] = kept_W
                    after = together(scratch)
                else:
                    for l in range(1, L + 1):
                        acted = acted or (memory.factors[l] != 1 and sizes[l] > 0)
                        scratch[l - 1] = float(memory.factors[l]) * sizes[l]
                        sizes[l] = own[WEIGHT_GRADIENT, l]
                    for i in range(L, 4 * L):
                        scratch[i] = 0.0
                    after = together(scratch)
                acted = acted and np.isfinite(before)
                if not keep:
                    for l in range(L, 0, -1):
                        whole = own[WEIGHT_GRADIENT, l]
                        own[WEIGHT_GRADIENT, l] = sizes[l]
                        _update(layout, kernels, state, memory, rates, r, l, 0, memory.factors[l], step + 1, own, span.floor)
                        own[WEIGHT_GRADIENT, l] = whole
            if not due:
                continue
            for quantity in range(7):
                for l in range(L + 1):
                    rows.norms[quantity, r, row, l] = own[quantity, l]
            rows.loss[r, row], rows.data_loss[r, row] = value, data_loss
            top = _matrix(memory.a[k], layout.units[L] * m, n_out, m)
            rows.accuracy[r, row] = share_right(top, memory.y, memory.labels, data.one_logit == 1)
            rows.before[r, row], rows.after[r, row], rows.clipped[r, row] = before, after, acted
            if census:
                for kind in range(rows.census.shape[0]):
                    for l in range(L + 1):
                        rows.census[kind, r, row, l] = count[kind, l]


walk = Loop(_walk)
"""The loop; compiled for a dtype when it is first called with it."""
