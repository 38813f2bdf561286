"""Each kind of work of a step made alone and repeated, in compiled loops that call the engine's own functions on its own plan.

`plan` is that of an engine which has made a step (see `bpcore.engine.places`), and `T` a zero of its dtype. What one repetition writes,
the next reads or writes again, so that none can be left out; nothing grows or vanishes on the way.
"""

import numba

from bpcore.engine.kernels import formulas
from bpcore.engine.kernels.backward import top
from bpcore.engine.kernels.language import ENTRIES
from bpcore.engine.kernels.loops import copy, norm, over_batch, share_right, squares, through_slope, transpose
from bpcore.engine.kernels.places import a_at, delta_at, gradient_at, parameter_at, size_of, units_below, z_at
from bpcore.engine.kernels.pointers import gemm, load, matrix, pointer, store, vector
from bpcore.engine.kernels.update import measure_gradients, norm_of_all, update
from bpcore.engine.machine import target
from bpcore.measure.quantities import BIAS_GRADIENT, DELTA, QUANTITIES, WEIGHT


def _products(plan, T, repeats):
    m, itemsize, L = plan.m, plan.itemsize, plan.L
    for _ in range(repeats):
        for l in range(1, L + 1):
            n, fan_in = size_of(plan, l), size_of(plan, l - 1)
            W, z = plan.parameters + itemsize * parameter_at(plan, 0, l, 0), plan.z + itemsize * z_at(plan, 0, l)
            if l == 1:
                gemm(plan.gemm, 1, m, n, fan_in, plan.x, fan_in, W, fan_in, z, T)
            else:
                gemm(plan.gemm, 0, m, n, fan_in, plan.a + itemsize * a_at(plan, 0, l - 1), m, W, fan_in, z, T)
        # δ^L anew each time, lest δ grow or vanish
        copy(vector(plan.y, 0, plan.n_out * m, T), vector(plan.delta, delta_at(plan, 0, L), plan.n_out * m, T))
        for l in range(L, 0, -1):
            n, fan_in = size_of(plan, l), size_of(plan, l - 1)
            G, delta = plan.gradient + itemsize * gradient_at(plan, 0, l, 0, False), plan.delta + itemsize * delta_at(plan, 0, l)
            if l == 1:
                gemm(plan.gemm, 0, fan_in, n, m, plan.x, fan_in, delta, m, G, T)
            elif fan_in <= plan.longest_turned:
                gemm(plan.gemm, 0, fan_in, n, m, plan.turned, fan_in, delta, m, G, T)
            else:
                gemm(plan.gemm, 1, fan_in, n, m, plan.a + itemsize * a_at(plan, 0, l - 1), m, delta, m, G, T)
            W, below = plan.parameters + itemsize * parameter_at(plan, 0, l, 0), plan.delta + itemsize * delta_at(plan, 0, l - 1)
            gemm(plan.gemm, 2, m, fan_in, n, delta, m, W, fan_in, below, T)


def _activations(plan, T, repeats):
    m = plan.m
    for _ in range(repeats):
        for l in range(1, plan.L + 1):
            # with a bias of zeros z stays, and it costs the same
            formulas.call(
                load(plan.phi, l, 0),
                pointer(plan.z, z_at(plan, 0, l), T),
                pointer(plan.zeros, 0, T),
                pointer(plan.a, a_at(plan, 0, l), T),
                pointer(plan.slope, units_below(plan, l) * m, T),
                size_of(plan, l),
                m,
                pointer(plan.phi_constants, 2 * l, T),
            )


def _transposes(plan, T, repeats):
    m = plan.m
    for _ in range(repeats):
        for l in range(plan.L, 1, -1):
            n = size_of(plan, l - 1)
            if n <= plan.longest_turned:
                transpose(vector(plan.a, a_at(plan, 0, l - 1), n * m, T), n, m, vector(plan.turned, 0, m * n, T))


def _bp2(plan, T, repeats):
    m = plan.m
    for _ in range(repeats):
        n, at = plan.n_out, gradient_at(plan, 0, plan.L, 1, False)
        over_batch(matrix(plan.delta, delta_at(plan, 0, plan.L), n, m, T), vector(plan.gradient, at, n, T))
        for l in range(plan.L - 1, 0, -1):
            n = size_of(plan, l)
            delta, slope = matrix(plan.delta, delta_at(plan, 0, l), n, m, T), matrix(plan.slope, units_below(plan, l) * m, n, m, T)
            through_slope(delta, slope, vector(plan.gradient, gradient_at(plan, 0, l, 1, False), n, T))


def _norms(plan, T, repeats):
    m, L = plan.m, plan.L
    norms, scratch = matrix(plan.own_norms, 0, QUANTITIES, L + 1, 0.0), vector(plan.scratch, 0, plan.kinds * L, 0.0)
    for _ in range(repeats):
        for l in range(L, 0, -1):
            n, fan_in = size_of(plan, l), size_of(plan, l - 1)
            delta, w = (
                vector(plan.delta, delta_at(plan, 0, l), n * m, T),
                vector(plan.parameters, parameter_at(plan, 0, l, 0), n * fan_in, T),
            )
            norms[DELTA, l] = norm(delta, squares(delta), plan.floor)
            norms[WEIGHT, l] = norm(w, squares(w), plan.floor)
            measure_gradients(plan, T, plan.gradient, -load(plan.own, l, 0), l, norms)
        n = plan.n_in
        error, inputs = vector(plan.delta, delta_at(plan, 0, 0), n * m, T), vector(plan.sums, 0, n, T)
        over_batch(matrix(plan.delta, delta_at(plan, 0, 0), n, m, T), inputs)
        norms[DELTA, 0] = norm(error, squares(error), plan.floor)
        norms[BIAS_GRADIENT, 0] = norm(inputs, squares(inputs), plan.floor) / m
        scratch[0] = norm_of_all(norms, scratch, plan.kinds)


def _updates(plan, T, repeats):
    norms = matrix(plan.own_norms, 0, QUANTITIES, plan.L + 1, 0.0)
    for _ in range(repeats):
        for l in range(plan.L, 0, -1):
            update(plan, T, 0, l, False, type(T)(1), plan.start + 1, norms)


def _loss(plan, T, repeats):
    n, m, at = plan.n_out, plan.m, a_at(plan, 0, plan.L)
    for _ in range(repeats):
        store(plan.scratch, 0, top(plan, T, 0))
        right = share_right(
            matrix(plan.a, at, n, m, T),
            vector(plan.a, at, n * m, T),
            matrix(plan.y, 0, n, m, T),
            vector(plan.batch_labels, 0, m, 0),
            plan.one_logit == 1,
        )
        store(plan.scratch, 0, right)


def _compiled(function):
    return numba.njit(error_model="numpy", fastmath=ENTRIES)(function)


numba.config.CPU_NAME, numba.config.CPU_FEATURES = target()  # as the engine, unless numba has compiled before

PARTS = {
    "products": _compiled(_products),
    "φ and φ′": _compiled(_activations),
    "transposes": _compiled(_transposes),
    "BP2": _compiled(_bp2),
    "norms": _compiled(_norms),
    "update": _compiled(_updates),
    "loss": _compiled(_loss),
}
"""Kind of work -> (plan, zero of the dtype, repetitions) → nothing. BP2 has BP3's sums in it, and the loss BP1 and the accuracy."""
