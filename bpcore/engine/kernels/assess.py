"""The loss and accuracy of a stack on examples that may be many, compiled: in pieces whose activations stay in the cache."""

from typing import Any

from numba import types

from bpcore.engine.kernels import formulas, loss, normalization
from bpcore.engine.kernels.language import ENTRIES, inner
from bpcore.engine.kernels.loops import add_bias, copy, finite, hits_of, join, largest
from bpcore.engine.kernels.places import alpha_of, normalized_after, normalized_before, part_of, size_of, source_of, target_of, units_below
from bpcore.engine.kernels.pointers import gemm, load, matrix, pointer, vector


@inner(ENTRIES)
def _copy(address, m, low, out):
    """Copy the columns from low on of float64 entries (rows, m) to out (rows, size), in its dtype."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = load(address, i * m + low + j, 0.0)


@inner(ENTRIES)
def _normalize(plan, T, r, l, place, size):
    """Normalize a layer's entries in their place, in evaluation mode."""
    start, at = r * plan.parameters_columns, r * plan.means_columns + units_below(plan, l)
    normalization.evaluate(
        plan.evaluate,
        place,
        pointer(plan.parameters, start + part_of(plan, l, 2)[0], T),
        pointer(plan.parameters, start + part_of(plan, l, 3)[0], T),
        pointer(plan.means, at, T),
        pointer(plan.variances, at, T),
        place,
        pointer(plan.column, 0, T),
        size_of(plan, l),
        size,
        plan.eps,
        plan.groups,
        plan.centered,
    )


@inner(ENTRIES)
def _output(plan, T, r, size):
    """Write z^L and a^L of a run in evaluation mode, and return where a^L stands; a layer's are overwritten by others."""
    row, itemsize, start = plan.room_columns, plan.itemsize, r * plan.parameters_columns
    below = plan.inputs
    for l in range(1, plan.L + 1):
        n, fan_in = size_of(plan, l), size_of(plan, l - 1)
        gemm(
            plan.gemm, 0, size, n, fan_in, below, size, plan.parameters + itemsize * (start + part_of(plan, l, 0)[0]), fan_in, plan.room, T
        )
        z, b, bias = pointer(plan.room, 0, T), start + part_of(plan, l, 1)[0], plan.parameters + itemsize * (start + part_of(plan, l, 1)[0])
        onto_z, onto_a = source_of(plan, l) > 0 and plan.onto_a == 0, source_of(plan, l) > 0 and plan.onto_a == 1
        own, stream = vector(plan.room, 0, n * size, T), vector(plan.room, 4 * row, n * size, T)
        kept = target_of(plan, l) > 0 and plan.onto_a == 0
        if normalized_before(plan, l) or onto_z or kept:
            add_bias(matrix(plan.room, 0, n, size, T), vector(plan.parameters, b, n, T))
            bias = plan.zeros
        if onto_z:
            join(own, alpha_of(plan, T, r, l), stream, own)
        if kept and plan.post == 0:
            copy(own, stream)
        if normalized_before(plan, l):
            _normalize(plan, T, r, l, z, size)
        if kept and plan.post == 1:
            copy(own, stream)
        a = row * (1 + l % 2)
        constants = pointer(plan.phi_constants, 2 * l, T)
        formulas.call(
            load(plan.phi, l, 0), z, pointer(bias, 0, T), pointer(plan.room, a, T), pointer(plan.room, 3 * row, T), n, size, constants
        )
        after = normalized_after(plan, l)
        if after and not (onto_a and plan.post == 1):
            _normalize(plan, T, r, l, pointer(plan.room, a, T), size)
        if onto_a:
            entries = vector(plan.room, a, n * size, T)
            join(entries, alpha_of(plan, T, r, l), vector(below, 0, n * size, T), entries)
            if after and plan.post == 1:
                _normalize(plan, T, r, l, pointer(plan.room, a, T), size)
        below = plan.room + itemsize * a
    return below


def _assess(plan, T, asked, losses, hits, sound):
    """Add up J_i and the examples that are right, of every run that is asked for, and note whose outputs are all finite."""
    n_out, m, row = plan.n_out, plan.m, plan.room_columns
    labels = vector(plan.batch_labels, 0, plan.piece, 0)
    for low in range(0, m, plan.piece):
        size = plan.piece if plan.piece < m - low else m - low
        _copy(plan.examples, m, low, matrix(plan.inputs, 0, plan.n_in, size, T))
        target = matrix(plan.answers, 0, n_out, size, T)
        _copy(plan.targets, m, low, target)
        for j in range(size):
            labels[j] = largest(target, j)
        for r in range(plan.runs):
            if asked[r] == 1:
                output = _output(plan, T, r, size)
                top = pointer(plan.room, 0, T) if plan.logits == 1 else pointer(output, 0, T)
                losses[r] += plan.loss_scale * loss.call(
                    plan.loss, top, pointer(plan.answers, 0, T), pointer(plan.room, 3 * row, T), n_out, size, pointer(plan.column, 0, T)
                )
                a = matrix(output, 0, n_out, size, T)
                hits[r] += hits_of(a, target, labels, plan.one_logit == 1)
                if not finite(vector(output, 0, n_out * size, T)):
                    sound[r] = 0


def _signature(T: Any, record: Any) -> Any:
    """Return void(plan, T, asked, losses, hits, sound), given the types of a number and of the plan."""
    truth, number, count = (types.CPointer(kind) for kind in (types.uint8, types.float64, types.int64))
    return types.void(record, T, truth, number, count, truth)


KERNELS = {"assess": (_assess, _signature, ENTRIES)}
