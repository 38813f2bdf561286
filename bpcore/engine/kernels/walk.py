"""The step loop as one compiled function: BP1–BP4, the norms of every layer, clipping and the update, run after run.

One run is trained at a time with all of its arrays in the first two cache levels, so that a run's numbers depend on nothing but
itself. Products are BLAS's, everything else fused loops. Gradients are kept as sums over the batch; the 1/m goes into the step size.
`plan` is what `Engine` lays out (see `places`), `T` a zero of the runs' dtype.
"""

from typing import Any

import numpy as np
from numba import types

from bpcore.engine.kernels.backward import backward, top
from bpcore.engine.kernels.forward import deal, forward, prepare
from bpcore.engine.kernels.language import ENTRIES, inner
from bpcore.engine.kernels.loops import share_right
from bpcore.engine.kernels.places import a_at
from bpcore.engine.kernels.pointers import load, matrix, store, vector
from bpcore.engine.kernels.update import limit, norm_of_all, update
from bpcore.measure.quantities import QUANTITIES, UPDATE


@inner(ENTRIES)
def _write(plan, T, r, row, line, norms, count, census):
    """Write the norms of a line, what was counted, and the accuracy on its batch."""
    wide = plan.L + 1
    for quantity in range(QUANTITIES):
        at = ((quantity * plan.runs + r) * plan.lines + line) * wide
        for l in range(wide):
            store(plan.norms, at + l, norms[quantity, l])
    if census:
        for kind in range(plan.counted):
            at = ((kind * plan.runs + r) * plan.lines + line) * wide
            for l in range(wide):
                store(plan.census, at + l, count[kind, l])
    output = matrix(plan.a, a_at(plan, row, plan.L), plan.n_out, plan.m, T)
    y, labels = matrix(plan.y, 0, plan.n_out, plan.m, T), vector(plan.batch_labels, 0, plan.m, 0)
    store(
        plan.accuracy,
        r * plan.lines + line,
        share_right(output, vector(plan.a, a_at(plan, row, plan.L), plan.n_out * plan.m, T), y, labels, plan.one_logit == 1),
    )


def _walk(plan, T, first, last, diverged):
    """Make the steps first[r] ≤ step < last[r] of every run r; write in diverged[r] at which it left the finite numbers, or −1."""
    L, keep, acts = plan.L, plan.keep == 1, plan.clip != 0
    norms, limited = matrix(plan.own_norms, 0, QUANTITIES, L + 1, 0.0), matrix(plan.limited_norms, 0, QUANTITIES, L + 1, 0.0)
    count, scratch, sizes = (
        matrix(plan.counts, 0, 8, L + 1, 0.0),
        vector(plan.scratch, 0, plan.kinds * L, 0.0),
        vector(plan.totals, 0, L + 1, 0.0),
    )
    later = keep or acts  # the update waits until the gradients of all layers are known
    if plan.batches == 0:
        prepare(plan, T)
    for r in range(plan.runs):
        row = r if keep else 0
        diverged[r] = -1
        for step in range(first[r], last[r]):
            due, line = True, 0
            if not keep:
                due, line = step % plan.every == 0, step // plan.every
            census = due and line > 0 and (plan.full == 1 or (line & (line - 1)) == 0)  # the first line is looked at
            if plan.batches == 1:
                deal(plan, T, r, step)
            forward(plan, T, r, row, step, census, count)
            data_loss = top(plan, T, row) / plan.m
            weights = backward(plan, T, r, row, step, due, census, later, norms, count)
            decay = float(load(plan.weight_decay, r, T))
            value = data_loss + 0.5 * decay * weights if decay > 0 else data_loss  # 0·inf is not 0
            before = norm_of_all(norms, scratch, plan.kinds)
            if not keep and not (np.isfinite(value) and np.isfinite(before)):
                diverged[r] = step
                break
            after, acted = before, False
            if acts:
                after, acted = limit(plan, T, r, row, step, before, norms, limited, sizes, scratch)
                acted = acted and np.isfinite(before)
                if not keep:
                    for l in range(1, L + 1):
                        update(plan, T, r, l, later, load(plan.factors, l, T), step + 1, limited)
                        norms[UPDATE, l] = limited[UPDATE, l]
            if due:
                at = r * plan.lines + line
                store(plan.loss_rows, at, value)
                store(plan.data_loss, at, data_loss)
                store(plan.before, at, before)
                store(plan.after, at, after)
                store(plan.clipped, at, np.uint8(acted))
                _write(plan, T, r, row, line, norms, count, census)


def _signature(T: Any, record: Any) -> Any:
    """Return void(plan, T, first, last, diverged), given the types of a number and of the plan."""
    steps = types.CPointer(types.int64)
    return types.void(record, T, steps, steps, steps)


KERNELS = {"walk": (_walk, _signature, ENTRIES)}
