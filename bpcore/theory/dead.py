"""Dead layers: how likely a ReLU net has a layer of nothing but units that are 0."""

import numpy as np


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
