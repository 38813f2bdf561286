"""The loss and accuracy of a whole stack on examples that may be many: in pieces whose activations stay in the cache."""

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.layers import Layers
from bpcore.mlp import accuracy, data_term, forward, sign_is_right
from bpcore.network import Network
from bpcore.normalization import RunningStatistics

PIECE = 512
"""Examples at once. The bits of a product may depend on it, so that it must not depend on the stack."""

_ROOM = 2**19


def right(output: Array, labels: Array) -> Array:
    """Return whether the largest output, the first of several, is that of the label: `output.argmax(axis=-2) == labels`, faster.

    Args:
        output: a^L, (R, n_L, m); of an example that is not a number the answer means nothing.
        labels: (R or 1, m).

    Returns:
        (R, m) bool.
    """
    classes = np.ascontiguousarray(output.transpose(1, 0, 2))  # first, since reductions over the first axis are the fast ones
    peak = np.maximum.reduce(classes, axis=0)
    largest = classes == peak
    # An example has one largest output, more in a tie, none where it is not a number; the latter would make up for the former.
    if np.count_nonzero(largest) != peak.size or np.isnan(peak).any():
        tied: Array = output.argmax(axis=-2) == labels
        return tied
    largest &= np.arange(len(classes))[:, None, None] == labels
    hits: Array = np.logical_or.reduce(largest, axis=0)
    return hits


def evaluate_stack(
    network: Network, params: Layers, x: Array, y: Array, running: RunningStatistics, asked: Array
) -> tuple[FloatArray, FloatArray]:
    """Return J_i averaged over the examples, and the fraction of them whose largest output is the right class, in evaluation mode.

    What `mlp.forward`, the loss and `mlp.accuracy` say, without their temporaries.

    Args:
        network: the architecture.
        params: of the stack.
        x: (n_0, m), of any float dtype.
        y: (n_L, m), targets.
        running: statistics gathered in training; unused without batch normalization.
        asked: (R,) bool, the runs that are evaluated.

    Returns:
        (R,) each; NaN for runs that were not asked for. The accuracy is NaN for outputs that are not finite and for a single
        output that is no logit, too.
    """
    loss, hits, finite = np.zeros(asked.size), np.zeros(asked.size, dtype=np.int64), asked.copy()
    dtype, widest = params.W[1].dtype, max(network.sizes[1:])
    together = max(1, _ROOM // (2 * widest * PIECE * dtype.itemsize))
    groups = [group for low in range(0, asked.size, together) if asked[(group := slice(low, low + together))].any()]
    parts = [(of_runs(params, group), running.of_runs(group)) for group in groups]
    buffers = np.empty((2, together * widest * PIECE), dtype=dtype)
    for low in range(0, x.shape[1], PIECE):
        piece, targets = (np.array(part[None, :, low : low + PIECE], dtype=dtype, order="C") for part in (x, y))
        labels = y[None, :, low : low + PIECE].argmax(axis=1)
        for group, (own, statistics) in zip(groups, parts, strict=True):
            h, output = _forward(network, own, statistics, piece, buffers)
            loss[group] += np.add.reduce(network.loss.value(h, targets, network.output_activation), axis=-1, dtype=np.float64)
            hits[group] += np.add.reduce(sign_is_right(output, targets) if network.one_logit else right(output, labels), axis=-1)
            finite[group] &= np.isfinite(output).all(axis=(-2, -1))
    m = x.shape[1]
    classes = network.sizes[-1] > 1 or network.one_logit
    return np.where(asked, loss / m, np.nan), np.where(finite & classes, hits / m, np.nan)


def evaluate_whole(network: Network, params: Layers, x: Array, y: Array, asked: Array) -> tuple[FloatArray, FloatArray]:
    """Return J without its λ term and the accuracy on all examples at once, normalized with their own statistics.

    Those cannot be had piece by piece.

    Args:
        network: the architecture.
        params: of the stack.
        x: (1, n_0, m).
        y: (1, n_L, m), targets.
        asked: (R,) bool, the runs that are evaluated.

    Returns:
        (R,) each; NaN for runs that were not asked for.
    """
    loss, hits = np.full(asked.size, np.nan), np.full(asked.size, np.nan)
    for run in np.flatnonzero(asked):  # one by one, since all examples of many runs would leave the cache
        own = slice(int(run), int(run) + 1)
        trace = forward(network, of_runs(params, own), x)
        loss[run] = data_term(network, trace, y)[0]
        hits[run] = accuracy(trace.a[network.L], y, network.one_logit)[0]
    return loss, hits


def of_runs(params: Layers, runs: slice | list[int]) -> Layers:
    """Return the parameters of some runs of a stack."""
    return params.map(lambda _, array: array[runs])


def _forward(network: Network, params: Layers, running: RunningStatistics, x: Array, buffers: Array) -> tuple[Array, Array]:
    """Return h^L and a^L in evaluation mode, each in one of the two buffers."""
    if network.sources:  # what a layer is added to has to be kept
        trace = forward(network, params, x, running)
        return trace.h[network.L], trace.a[network.L]
    a, runs, m = x, params.W[1].shape[0], x.shape[-1]
    for l in range(1, network.L + 1):
        size = runs * network.sizes[l] * m
        h, below = buffers[0, :size].reshape(runs, -1, m), a
        np.matmul(params.W[l], below, out=h)
        h += params.b[l]
        norm = network.norm(l)
        if norm.active and not norm.after:
            h[...] = norm.evaluate(h, params.own(l), running, l)
        a = buffers[1, :size].reshape(runs, -1, m)  # a^(l−1) stood here, and is no longer needed
        a[...] = network.phi(l).value(h)
        if norm.after:
            a[...] = norm.evaluate(a, params.own(l), running, l)
    return h, a
