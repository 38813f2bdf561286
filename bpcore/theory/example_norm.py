"""δ in nets whose layers are normalized example by example: LayerNorm and RMSNorm, before φ or after it.

Before φ: ẑ is standard normal whatever the weights, and the variance v^l that it is divided by is that of z^l, so that
‖δ^l‖²/‖δ^(l+1)‖² = n_l Var(W^(l+1)) E[φ′(Z)²]·E[1/(v^l+ε)], v^l = n_(l−1) Var(W^l) E[φ(Z)²] + σ_b². With equal widths and no biases that
is E[φ′²]/E[φ²]: σ_w drops out. After φ: a has mean square 1, so that q^l = n_(l−1) Var(W^l) + σ_b², and what is divided by is Var φ(√q Z),
or E[φ(√q Z)²] where the mean is not taken away. LayerNorm and RMSNorm differ there, and agree before φ. ε leaves ρ = v/(v+ε) of the
mean square that is 1 without it. Dropout that keeps a share p of the units puts n_l/p in the place of n_l: before φ it drops out like σ_w.

Of finite width: for the identity before φ exactly (n−2)/(n−3) of the square under LayerNorm, (n−1)/(n−2) under RMSNorm.

Known bias: of order 1/n for other φ.
"""

from collections.abc import Callable

import numpy as np

from bpcore.activation import Activation, Phis, by_layer
from bpcore.arrays import FloatArray
from bpcore.theory.layerwise import Variance, by_fans
from bpcore.theory.maps import chis, second_moments, slopes
from bpcore.theory.quadrature import scaled_means


def example_norm_rate(phi: Activation, sigma_w2: float, centered: bool, after: bool) -> float:
    """Return the factor of ‖δ‖² per layer, deep inside a wide net of equal widths, without biases and ε.

    Before φ E[φ′(Z)²]/E[φ(Z)²]; after it σ_w² E[φ′(√q Z)²]/Var φ(√q Z), q = σ_w², or over E[φ(√q Z)²] where nothing is centered.

    Args:
        phi: the activation.
        sigma_w2: σ_w² between hidden layers, over the share p that dropout keeps; what stands before φ does not depend on it.
        centered: whether the mean over the units is taken away.
        after: whether the normalization stands after φ.

    Source: Doshi et al. 2023 for the normalization before φ; after it by the same steps.
    """
    q = np.array([sigma_w2 if after else 1.0])
    with np.errstate(all="ignore"):
        return float((sigma_w2 if after else 1.0) * chis(phi, q)[0] / _divisor(phi, q, centered and after)[0])


def _divisor(phi: Activation, q: FloatArray, centered: bool) -> FloatArray:
    """Return E[φ(√q Z)²], or the variance where φ's mean is taken away."""
    square = second_moments(phi, q)
    return square - scaled_means(phi.value, q, phi.breaks, phi.steep) ** 2 if centered else square


def finite_share(phi: Activation, n: int, centered: bool) -> float:
    """Return by what n units instead of infinitely many change ‖δ^l‖²/‖δ^(l+1)‖² under a normalization before a linear φ; else 1.

    The error loses d directions on its way through the normalization, ẑ and, where it is centered, 1: (n−d)/n of it is left. It is divided
    by a variance of n−d+1 degrees of freedom, χ² in law, whose inverse has the mean n/(n−d−1). Together (n−d)/(n−d−1).

    Args:
        phi: the activation.
        n: units of the layer.
        centered: whether the mean over the units is taken away.
    """
    lost = 2 if centered else 1
    return (n - lost) / (n - lost - 1) if slopes(phi) == (1, 1) and n > lost + 1 else 1.0


def example_norm_factors(
    phi: Phis,
    sizes: tuple[int, ...],
    variance: Variance,
    bias_std_at: Callable[[int], float],
    input_squares: FloatArray,
    eps: float,
    centered: bool,
    after: bool,
    keep: float = 1.0,
) -> tuple[FloatArray, float]:
    """Return the predicted ratios ‖δ^l‖/‖δ^(l+1)‖ for l = 0…D, and the variance of z^L.

    Args:
        phi: activation of the hidden layers, of all or of each.
        sizes: (n_0, …, n_L), L ≥ 2.
        variance: (fan_in, fan_out) -> Var(W), or that of each layer.
        bias_std_at: fan_in -> σ_b.
        input_squares: ‖x‖² of the examples, or of groups of them.
        eps: ε.
        centered: whether the mean over the units is taken away.
        after: whether the normalization stands after φ.
        keep: p, the share of hidden units that dropout keeps.

    Returns:
        Shape (L,), and q^L.
    """
    phis, biases = by_layer(phi, len(sizes) - 2), [bias_std_at(fan_in) ** 2 for fan_in in sizes[:-1]]  # σ_b² of layer l at l − 1
    of = by_fans(variance, sizes)
    squares = [sizes[0] * of[0]]
    with np.errstate(all="ignore"):
        v = of[0] * np.asarray(input_squares, dtype=float) + biases[0]  # of z^1, example by example
        for l in range(1, len(sizes) - 1):
            own, scale = phis[l - 1], sizes[l] * of[l] / keep
            divisor = _divisor(own, v, centered) if after else v
            rho = divisor / (divisor + eps)  # the mean square of what is normalized
            share = 1.0 if after else finite_share(own, sizes[l], centered)
            squares.append(float((scale * chis(own, v if after else rho) / (divisor + eps)).mean()) * share)
            v = scale * (rho if after else second_moments(own, rho)) + biases[l]
        return np.sqrt(squares), float(v.mean())
