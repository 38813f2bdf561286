"""Layer-sequential unit variance: orthonormal weights, each layer's scaled until its output on examples has variance 1."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from bpcore.arrays import Array
from bpcore.initializer import Initializer
from bpcore.initializers import orthogonal
from bpcore.ranges import at_least, positive


def lsuv(
    scale: float = 1.0, bias_std: float = 0.0, tolerance: float = 0.1, iterations: int = 10, bias_distribution: str = "normal"
) -> Initializer:
    """Return orthonormal weights, each layer's divided by the standard deviation of its z on the run's first batch, from layer 1 up.

    While |Var(z^l)/scale² − 1| ≥ tolerance: W^l ← W^l·scale/√Var(z^l), over units and examples, before
    normalization and φ; the output layer too.
    The batch is the one of step 0, or all training examples where a step has all; it is drawn from the run's own stream, so that the
    weights depend on the run alone. A layer whose z has no variance, or none that is finite, is left as it is.

    Args:
        scale: standard deviation that z is given, ≥ 0; the tolerance is relative to its square.
        bias_std: σ_b ≥ 0.
        tolerance: > 0.
        iterations: divisions a layer at most, ≥ 1.
        bias_distribution: normal, uniform or truncated_normal.

    Raises:
        ValueError: an argument is out of range.

    Source: Mishkin & Matas 2016, algorithm 1, with its Tol and T_max.
    """
    drawn = orthogonal(scale, bias_std, bias_distribution)
    close, most = positive("tolerance", tolerance), at_least("iterations", iterations, 1)

    def adapt(W: dict[int, Array], x: Array, z_of: Callable[[int, Array], Array], a_of: Callable[[int, Array], Array]) -> None:
        a, target = x, float(scale) ** 2
        for l, weights in W.items():
            for _ in range(most):
                variance = float(z_of(l, a).var())
                if not (0 < variance < np.inf) or abs(variance - target) < close * target:
                    break
                weights *= float(scale) / np.sqrt(variance)
            a = a_of(l, z_of(l, a))

    return replace(drawn, name="lsuv", adapt=adapt)
