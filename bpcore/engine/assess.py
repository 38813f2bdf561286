"""The loss and accuracy of a stack on examples that may be many, compiled: in pieces whose activations stay in the cache."""

import numpy as np

from bpcore.arrays import Array, FloatArray
from bpcore.engine.compiling import ENTRIES, Loop, borrowed, inner, matrix, pointer, vector
from bpcore.engine.evaluation import PIECE
from bpcore.engine.kernels import activation, loss, normalization
from bpcore.engine.layout import Layout
from bpcore.engine.loops import add_bias, finite, hits_of
from bpcore.engine.walk import Kernels


@inner(ENTRIES)
def _piece(x, low, rows, out):  # type: ignore[no-untyped-def]
    """Copy examples low… into out (rows, size), in its dtype."""
    for i in range(rows):
        for j in range(out.shape[1]):
            out[i, j] = x[i, low + j]


@inner(ENTRIES)
def _output(layout, kernels, parameters, means, variances, r, x, buffers):  # type: ignore[no-untyped-def]
    """Return z^L and a^L of a run in evaluation mode; each layer's are overwritten by the next but one."""
    size = x.shape[1]
    L = layout.sizes.size - 1
    z, a = x, x
    for l in range(1, L + 1):
        n = layout.sizes[l]
        W, b = matrix(parameters, r, layout.weights[l], n, layout.sizes[l - 1]), vector(parameters, r, layout.biases[l], n)
        z = matrix(buffers, 0, 0, n, size)
        np.dot(W, a, z)
        bias = b
        if layout.gammas[l] >= 0:
            add_bias(z, b)
            units = layout.units[l]
            gamma, beta = vector(parameters, r, layout.gammas[l], n), vector(parameters, r, layout.betas[l], n)
            mean, variance = vector(means, r, units, n), vector(variances, r, units, n)
            normalization.evaluate(kernels.evaluate, z, gamma, beta, mean, variance, z, n, size, kernels.eps)
            bias = vector(buffers, 4, 0, n)
        a = matrix(buffers, 1 + l % 2, 0, n, size)
        activation.call(kernels.phi[l], z, bias, a, vector(buffers, 3, 0, n * size), n, size, pointer(kernels.phi_constants, 2 * l))
    return z, a


def _assess(layout, kernels, parameters, means, variances, x, y, one_logit, asked, buffers, inputs, targets, losses, hits, sound):  # type: ignore[no-untyped-def]
    """Add up J_i and the examples that are right, of every run that is asked for, and note whose outputs are all finite."""
    layout, kernels = borrowed(layout), borrowed(kernels)
    n_in, n_out, L = layout.sizes[0], layout.sizes[layout.sizes.size - 1], layout.sizes.size - 1
    labels = np.zeros(PIECE, dtype=np.int64)
    for low in range(0, x.shape[1], PIECE):
        size = min(PIECE, x.shape[1] - low)
        piece, target = matrix(inputs, 0, 0, n_in, size), matrix(targets, 0, 0, n_out, size)
        _piece(x, low, n_in, piece)
        _piece(y, low, n_out, target)
        for j in range(size):
            labels[j] = 0
            for i in range(1, n_out):
                if target[i, j] > target[labels[j], j]:
                    labels[j] = i
        for r in range(asked.size):
            if asked[r]:
                z, a = _output(layout, kernels, parameters, means, variances, r, piece, buffers)
                top = z if kernels.logits == 1 else a
                column = vector(buffers, 4, 0, 2 * size)
                losses[r] += loss.call(kernels.loss, top, target, vector(buffers, 3, 0, n_out * size), n_out, size, column)
                column[:] = 0
                hits[r] += hits_of(a, target, labels, one_logit)
                sound[r] &= finite(vector(buffers, 1 + L % 2, 0, n_out * size))


assess = Loop(_assess)


def evaluate(
    layout: Layout, kernels: Kernels, parameters: Array, means: Array, variances: Array, x: Array, y: Array, one_logit: bool, asked: Array
) -> tuple[FloatArray, FloatArray]:
    """Return what `evaluation.evaluate_stack` does, at a fraction of its cost.

    Args:
        layout: of the network.
        kernels: of the network.
        parameters: (R, P).
        means: (R, units) running means, or (R, 0).
        variances: likewise.
        x: (n_0, m).
        y: (n_L, m), targets.
        one_logit: whether there is a single output, and it is a logit.
        asked: (R,) bool, the runs that are evaluated.

    Returns:
        (R,) each; NaN for runs that were not asked for. The accuracy is NaN for outputs that are not finite and for a single
        output that is no logit, too.
    """
    runs, widest, m, dtype = asked.size, int(layout.sizes.max()), x.shape[1], parameters.dtype
    losses, hits, sound = np.zeros(runs), np.zeros(runs, dtype=np.int64), asked.copy()
    buffers = np.zeros((5, max(widest, 2) * PIECE), dtype=dtype)
    inputs, targets = (np.empty((1, int(n) * PIECE), dtype=dtype) for n in (layout.sizes[0], layout.sizes[-1]))
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    assess(layout, kernels, parameters, means, variances, x, y, one_logit, asked, buffers, inputs, targets, losses, hits, sound)
    classes = layout.sizes[-1] > 1 or one_logit
    return np.where(asked, losses / m, np.nan), np.where(sound & classes, hits / m, np.nan)
