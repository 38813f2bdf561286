"""Limits that do not depend on mean-field theory: step sizes, number formats, the window of a neuron."""

import math

import numpy as np


def step_size_limit(sharpness: float, momentum: float = 0.0, nesterov: bool = False) -> float:
    """Return the largest stable learning rate on a quadratic of the given sharpness.

    Gradient descent 2/λ, Polyak's momentum (2+2β)/λ, Nesterov's (2+2β)/((1+2β)λ).

    Args:
        sharpness: λ, largest eigenvalue of the Hessian.
        momentum: β in [0, 1).
        nesterov: whether the gradient is taken ahead.

    Returns:
        The limit; infinite where λ ≤ 0.

    Source: Cohen et al. 2021, §2 and appendix B.
    """
    if sharpness <= 0:
        return math.inf
    limit = (2 + 2 * momentum) / sharpness
    return limit / (1 + 2 * momentum) if nesterov else limit


def underflow_depth(factor: float, start: float, dtype: str, subnormal: bool = False) -> float:
    """Return over how many layers an entry of δ falls below what a number format can hold.

    ln(limit/start)/ln(factor): below the smallest normal number digits are lost; below the smallest subnormal one
    there is nothing but 0.

    Args:
        factor: of ‖δ‖ per layer, √χ.
        start: root mean square of an entry of δ where counting begins.
        dtype: float16, float32 or float64.
        subnormal: whether the limit is the smallest subnormal number instead of the smallest normal one.

    Returns:
        Layers; infinite for a factor ≥ 1, NaN where it is not known, 0 where start lies below the limit.
    """
    if math.isnan(factor) or math.isnan(start):
        return math.nan
    if factor >= 1:
        return math.inf
    kind = np.finfo(dtype)
    # float() of the smallest float64 subnormal is exact; its logarithm is, too
    limit = float(kind.smallest_subnormal if subnormal else kind.smallest_normal)
    if factor <= 0 or start <= limit:
        return 0.0
    return math.log(limit / start) / math.log(factor) if limit / start > 0 else (math.log(limit) - math.log(start)) / math.log(factor)


def overflow_depth(factor: float, start: float, dtype: str) -> float:
    """Return over how many layers an entry of δ exceeds the largest number of a format; infinite for a factor ≤ 1."""
    if math.isnan(factor) or math.isnan(start):
        return math.nan
    if factor <= 1 or start <= 0:
        return math.inf
    return max(0.0, (math.log(float(np.finfo(dtype).max)) - math.log(start)) / math.log(factor))


def neuron_window(weight: float) -> float:
    """Return for how wide a range of inputs a one-neuron sigmoid layer does not shrink its gradient.

    |w σ′(wa+b)| ≥ 1 where |wa+b| ≤ 2 arcosh(√|w|/2): a range of a of width (4/|w|) arcosh(√|w|/2).

    Args:
        weight: w.

    Returns:
        The width; 0 for |w| ≤ 4, at most 0.4477 at |w| = 6.894.

    Source: Nielsen, Neural Networks and Deep Learning, ch. 5, problem.
    """
    size = abs(weight)
    return 0.0 if size <= 4 else 4 / size * math.acosh(math.sqrt(size) / 2)
