"""Dead units: how likely a ReLU layer has units, or nothing but units, that are 0 on every example."""

import numpy as np
from scipy.special import log_ndtr

from bpcore.arrays import FloatArray
from bpcore.theory.quadrature import panels


def dead_unit_probability(correlation: float, examples: int) -> float:
    """Return the probability that a ReLU unit is 0 on all of some examples, at initialization.

    P(z_1 ≤ 0, …, z_m ≤ 0) for normals of one common correlation c ≥ 0: E_s[Φ(−√(c/(1−c)) s)^m]; ½ for identical examples,
    2^(−m) for uncorrelated ones, 1/(m+1) at c = ½.

    Known bias: real examples have no common correlation; with their mean one the value is an estimate.

    Args:
        correlation: c in [0, 1], of z between examples.
        examples: m ≥ 1.

    Returns:
        Probability.
    """
    if correlation >= 1:
        return 0.5
    slope = np.sqrt(correlation / (1 - correlation))
    turn = np.array([0.0, *(sign * step for sign in (-1, 1) for step in (0.02, 0.1, 0.3, 1, 3, 10, 30))]) / max(slope, 1e-12)
    s, weight = panels(turn)
    power: FloatArray = np.exp(examples * log_ndtr(-slope * s))
    return float((weight * power).sum())


def dead_layer_probability(widths: tuple[int, ...]) -> float:
    """Return the probability that for one input some ReLU layer has no active unit, without biases.

    1 − Π_l (1 − 2^(−n_l)): from such a layer on nothing passes, and every δ below it is 0.

    Args:
        widths: n_1…n_D.

    Returns:
        Probability.

    Source: Lu et al. 2020, theorem 3.
    """
    return float(-np.expm1(np.log1p(-(0.5 ** np.asarray(widths, dtype=float))).sum())) if widths else 0.0
