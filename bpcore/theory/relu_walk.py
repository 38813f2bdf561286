"""The exact law of δ's size in a ReLU net of finite width: a walk whose steps are independent, one a layer.

Without biases, and for an error at the output that does not depend on the weights, ‖δ^l‖²/‖δ^(l+1)‖² = Var(W^(l+1)) χ²_k with the number
of active units k ~ Bin(n_l, ½): a direction times independent normal weights, of which the gates keep k. Dropout that keeps a share p of
the units is a gate more, k ~ Bin(n_l, p/2), and divides what it keeps by p.
"""

import numpy as np


def relu_walk(width: int, weight_variance: float = 1.0, keep: float = 1.0) -> tuple[float, float]:
    """Return mean and variance of ln(‖δ^l‖²/‖δ^(l+1)‖²) of one ReLU layer, given that a unit of it is active.

    mean E[ψ(k/2)] + ln(2 Var(W)/p²), variance E[ψ₁(k/2)] + Var[ψ(k/2)], k ~ Bin(n, p/2) given k > 0; to leading order the variance is
    (6/p − 1)/n.

    Args:
        width: n_l ≥ 1.
        weight_variance: Var(W) of layer l + 1, > 0.
        keep: p, the share of units that dropout keeps.

    Source: Hanin & Nica 2018, section 3, with the χ² of normal weights written out.
    """
    from scipy import special  # costly to import, and runs do without

    k = np.arange(1, width + 1)
    chosen = special.gammaln(width + 1) - special.gammaln(k + 1) - special.gammaln(width - k + 1)
    on, off = np.log(keep / 2), np.log1p(-keep / 2)
    share = np.exp(chosen + k * on + (width - k) * off) / -np.expm1(width * off)
    center = special.digamma(k / 2)
    mean = float(share @ center)
    variance = float(share @ special.polygamma(1, k / 2) + share @ (center - mean) ** 2)
    return mean + float(np.log(2 * weight_variance / keep**2)), variance
