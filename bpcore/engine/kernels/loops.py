"""Loops that every step needs: sums of squares that lose nothing, transposes, BP2 with its sums, the census of a layer."""

import math

import numpy as np

from bpcore.engine.kernels.language import ENTRIES, SUMS, inner


@inner(SUMS)
def squares(x):
    """Return Σ x² of a flat array, in its dtype."""
    total = x.dtype.type(0)
    for i in range(x.size):
        total += x[i] * x[i]
    return total


@inner(ENTRIES)
def norm(x, total, floor):
    """Return ‖x‖ from Σ x², or from entries scaled by a power of two where the sum has left the safe range.

    Args:
        x: flat.
        total: Σ x².
        floor: below `floor` a entry, squares may have been lost to underflow.
    """
    if total > floor * x.size and total < np.inf:
        return math.sqrt(float(total))
    return scaled_norm(x)


@inner(ENTRIES)
def scaled_norm(x):
    """Return ‖x‖ from entries times a power of two, whose squares are numbers; NaN where an entry is NaN, inf where one is infinite."""
    peak = 0.0
    for i in range(x.size):
        size = abs(float(x[i]))
        if size != size:
            return size
        if size > peak:
            peak = size
    if peak == 0.0 or peak == np.inf:
        return peak
    up, down = (2.0**600, 2.0**-600) if peak < 2.0**-400 else ((2.0**-600, 2.0**600) if peak > 2.0**400 else (1.0, 1.0))
    total = 0.0
    for i in range(x.size):
        entry = up * float(x[i])
        total += entry * entry
    return down * math.sqrt(total)


@inner(ENTRIES)
def together(norms):
    """Return √(Σ n²) of norms, which may be any numbers ≥ 0, infinite or NaN."""
    total = 0.0
    for i in range(norms.size):
        total += norms[i] * norms[i]
    if total > 1e-270 and total < 1e300:
        return math.sqrt(total)
    return scaled_norm(norms)


@inner(ENTRIES)
def transpose(x, n, m, out):
    """Write xᵀ of x (n, m) into out (m, n), both flat."""
    for j in range(m):
        for i in range(n):
            out[j * n + i] = x[i * m + j]


@inner(ENTRIES)
def copy(x, out):
    """Write x into out, both flat."""
    for i in range(x.size):
        out[i] = x[i]


@inner(SUMS)
def through_slope(delta, slope, sums):
    """Make δ ⊙ φ′ in place (BP2) and its sum over the batch (BP3)."""
    for i in range(delta.shape[0]):
        row = delta.dtype.type(0)
        for j in range(delta.shape[1]):
            error = delta[i, j] * slope[i, j]
            delta[i, j] = error
            row += error
        sums[i] = row


@inner(ENTRIES)
def multiply(delta, slope):
    """Make δ ⊙ φ′ in place."""
    for i in range(delta.shape[0]):
        for j in range(delta.shape[1]):
            delta[i, j] *= slope[i, j]


@inner(ENTRIES)
def scale(x, factor):
    """Make factor·x in place."""
    for i in range(x.size):
        x[i] *= factor


@inner(SUMS)
def over_batch(delta, sums):
    """Write the sum of δ over the batch (BP3)."""
    for i in range(delta.shape[0]):
        row = delta.dtype.type(0)
        for j in range(delta.shape[1]):
            row += delta[i, j]
        sums[i] = row


@inner(ENTRIES)
def add_bias(z, b):
    """Make z + b in place."""
    for i in range(z.shape[0]):
        for j in range(z.shape[1]):
            z[i, j] += b[i]


@inner(ENTRIES)
def add_scaled(g, w, factor):
    """Make g + factor·w in place."""
    for i in range(g.size):
        g[i] += factor * w[i]


@inner(ENTRIES)
def add(x, y):
    """Make x + y in place, both flat."""
    for i in range(x.size):
        x[i] += y[i]


@inner(ENTRIES)
def join(added, factor, below, out):
    """Write below + factor·added, all flat; `out` may be one of them."""
    for i in range(added.size):
        out[i] = below[i] + factor * added[i]


@inner(SUMS)
def dot(x, y):
    """Return Σ xy of flat arrays, in their dtype."""
    total = x.dtype.type(0)
    for i in range(x.size):
        total += x[i] * y[i]
    return total


@inner(ENTRIES)
def finite(x):
    """Return whether every entry of a flat array is finite; counted in integers, whose sums are vectorized as they stand."""
    beyond = 0
    for i in range(x.size):
        beyond += 0 if abs(x[i]) < np.inf else 1
    return beyond == 0


@inner(SUMS)
def moments(x):
    """Return the mean and the biased variance of a flat array, added up in float64 about its first entry."""
    about = float(x[0])
    total, square = 0.0, 0.0
    for i in range(x.size):
        entry = x[i] - about
        total += entry
        square += entry * entry
    shift = total / x.size
    return about + shift, square / x.size - shift * shift


@inner(ENTRIES)
def share_below(slope, limit):
    """Return the fraction of entries of a flat array with |φ′| below a limit."""
    count = 0
    for i in range(slope.size):
        count += 1 if abs(slope[i]) < limit else 0
    return count / slope.size


@inner(ENTRIES)
def share_zero(x):
    """Return the fraction of entries of a flat array that are exactly 0."""
    count = 0
    for i in range(x.size):
        count += 1 if x[i] == 0 else 0
    return count / x.size


@inner(ENTRIES)
def share_dead(a):
    """Return the fraction of units, rows of a, that are 0 on every example."""
    dead = 0
    for i in range(a.shape[0]):
        silent = 1
        for j in range(a.shape[1]):
            if a[i, j] != 0:
                silent = 0
                break
        dead += silent
    return dead / a.shape[0]


@inner(ENTRIES)
def share_equal(W, b):
    """Return the fraction of units whose weights and bias equal the first unit's to the bit; NaN for a single unit."""
    n, fan_in = W.shape
    if n < 2:
        return np.nan
    same = 0
    for i in range(n):
        alike = 1 if b[i] == b[0] else 0
        for j in range(fan_in):
            if W[i, j] != W[0, j]:
                alike = 0
                break
        same += alike
    return same / n


@inner(ENTRIES)
def largest(x, j):
    """Return the row of a column's largest entry, the first of several."""
    best = 0
    for i in range(1, x.shape[0]):
        if x[i, j] > x[best, j]:
            best = i
    return best


@inner(ENTRIES)
def hits_of(output, y, labels, one_logit):
    """Return how many examples have their largest output, the first of several, at their label.

    A single logit is right where (z > 0) = (y ≥ ½).
    """
    m = output.shape[1]
    hits = 0
    if one_logit:
        for j in range(m):
            hits += 1 if (output[0, j] > 0) == (y[0, j] >= 0.5) else 0
        return hits
    for j in range(m):
        hits += 1 if largest(output, j) == labels[j] else 0
    return hits


@inner(ENTRIES)
def share_right(output, entries, y, labels, one_logit):
    """Return the fraction of examples that are right; NaN where an output is not finite, and for a single output that is no logit.

    `entries` is the output, flat.
    """
    n, m = output.shape
    if (n < 2 and not one_logit) or not finite(entries):
        return np.nan
    return hits_of(output, y, labels, one_logit) / m
