"""What can be measured of a layer, one function each; every result has shape (R,) and is float64.

`delta` is δ^l (R, n_l, m), `a` and `h` are the activation and the input of φ, (R, n_l, m).
"""

import numpy as np

from bpcore.activations import Activation
from bpcore.arrays import Array, FloatArray

SATURATION = 0.05
"""A unit counts as saturated where |φ′| is below this fraction of its maximum."""


def mean(x: Array) -> FloatArray:
    """Return the mean over units and examples, accumulated in float64."""
    return np.asarray(x.mean(axis=(-2, -1), dtype=np.float64))


def variance(x: Array) -> FloatArray:
    """Return the biased variance over units and examples, accumulated in float64."""
    return np.asarray(x.var(axis=(-2, -1), dtype=np.float64))


def saturated(h: Array, phi: Activation) -> FloatArray:
    """Return the fraction of entries with |φ′(h)| < 5 % of max |φ′|; NaN where an entry is not finite, or φ′ has no bound."""
    if phi.steep:
        return np.full(h.shape[0], np.nan)
    fraction = (np.abs(phi.prime(h)) < SATURATION * phi.max_prime).mean(axis=(-2, -1))
    return np.where(np.isfinite(h).all(axis=(-2, -1)), fraction, np.nan)


def dead(a: Array) -> FloatArray:
    """Return the fraction of units that are 0 on every example."""
    return np.asarray((a == 0).all(axis=-1).mean(axis=-1))


def equal_units(weights: Array, biases: Array) -> FloatArray:
    """Return the fraction of units whose rows of W and b equal the first unit's to the bit; NaN for a single unit.

    Args:
        weights: (R, n, fan_in).
        biases: (R, n, 1).
    """
    if weights.shape[-2] < 2:
        return np.full(weights.shape[0], np.nan)
    same = (weights == weights[:, :1]).all(axis=-1) & (biases == biases[:, :1])[..., 0]
    return np.asarray(same.mean(axis=-1))


def zero(delta: Array) -> FloatArray:
    """Return the fraction of entries of δ that are exactly 0, by underflow or by a rectifier."""
    return np.asarray((delta == 0).mean(axis=(-2, -1)))


def effective_rank(a: Array) -> FloatArray:
    """Return (Σ_k s_k²)²/Σ_k s_k⁴ of the singular values s of a, which is (tr G)²/‖G‖²_F with G = a aᵀ.

    A lower bound of the rank that counts directions by their weight: 1 where all examples are parallel, k where k
    directions are equally strong. Not centered.

    Args:
        a: (R, n, m).

    Returns:
        (R,), in [1, min(n, m)]; NaN where a is 0 or not finite.

    Source: Daneshmand et al. 2020, "Batch normalization provably avoids rank collapse".
    """
    a = a.astype(np.float64)
    peak = np.abs(a).max(axis=(-2, -1), keepdims=True)
    sound = np.isfinite(peak) & (peak > 0)
    a = np.where(sound, a / np.where(sound, peak, 1.0), 0.0)
    short = a if a.shape[-2] <= a.shape[-1] else np.ascontiguousarray(a.mT)
    gram = short @ short.mT
    trace = np.trace(gram, axis1=-2, axis2=-1)
    return np.where(sound[..., 0, 0], trace * trace / np.where(sound, gram * gram, 1.0).sum(axis=(-2, -1)), np.nan)
