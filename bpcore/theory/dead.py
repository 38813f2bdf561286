"""Dead layers: how likely a ReLU net has a layer of nothing but units that are 0."""

import numpy as np


def dead_layer_probability(widths: tuple[int, ...], keep: float = 1.0) -> float:
    """Return the probability that for one input some ReLU layer has no active unit, without biases.

    1 − Π_l (1 − (1 − p/2)^(n_l)): from such a layer on nothing passes, and every δ below it is 0.

    Args:
        widths: n_1…n_D.
        keep: p, the share of units that dropout keeps.

    Returns:
        Probability.

    Source: Lu et al. 2020, theorem 3, for p = 1.
    """
    return float(-np.expm1(np.log1p(-((1 - keep / 2) ** np.asarray(widths, dtype=float))).sum())) if widths else 0.0
