"""Predictions layer by layer, for the widths, the weights and the inputs that a net actually has.

q^1 = Var(W^1)·‖x‖² + σ_b², q^(l+1) = n_l·Var(W^(l+1))·E[φ(√q^l Z)²] + σ_b², and
E‖δ^l‖² = n_l·Var(W^(l+1))·E[φ′(√q^l Z)²]·E‖δ^(l+1)‖², Var(W) as the initializer declares it; under dropout that keeps a share p of the
units n_l/p stands for n_l in hidden layers. Inputs of different length
have different q^l: ‖x‖² may be given as an array, one value an example or a group of examples, and the norms are then
averaged over them. Orthogonal weights have the same mean; they differ in the fluctuations (see `finite_width`).

Known bias: δ^(l+1) is taken to be independent of W^(l+1), which holds to order 1/n_l.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bpcore.activation import Phis, by_layer
from bpcore.arrays import FloatArray
from bpcore.theory.maps import both_moments

Variance = Callable[[int, int], float] | Sequence[float]
"""(fan_in, fan_out) -> Var(W), or Var(W^l) for l = 1…L."""


def by_fans(variance: Variance, sizes: tuple[int, ...]) -> list[float]:
    """Return Var(W^l) for l = 1…L, at l − 1."""
    return [variance(*fans) for fans in pairwise(sizes)] if callable(variance) else list(variance)


def groups_of(squares: FloatArray, most: int = 12) -> FloatArray:
    """Return the means of at most `most` equally large groups of sorted values: a distribution in few numbers.

    Args:
        squares: ‖x_i‖² of the examples, shape (m,).
        most: number of groups.

    Returns:
        Ascending, at most `most`; a single one where all values are equal. Their mean is that of the values where the
        groups divide m, and close to it elsewhere.
    """
    ordered = np.sort(np.asarray(squares, dtype=float).ravel())
    if len(ordered) == 0 or np.isclose(ordered[-1], ordered[0], rtol=1e-12, atol=0):
        return ordered[:1]
    return np.array([part.mean() for part in np.array_split(ordered, min(most, len(ordered)))])


@dataclass(frozen=True)
class Propagation:
    """Hold what is predicted layer by layer.

    Args:
        factors: ‖δ^l‖/‖δ^(l+1)‖ for l = 0…D in root mean square over weights and examples, shape (L,). NaN or inf where a
            variance leaves the finite numbers.
        variances: q^1…q^D, the mean square of z per hidden layer, averaged over inputs.
        output: q^L of each input, of the shape of input_square.
    """

    factors: FloatArray
    variances: list[float]
    output: FloatArray


def propagate(
    phi: Phis,
    sizes: tuple[int, ...],
    variance: Variance,
    bias_std: float | Callable[[int], float],
    input_square: float | FloatArray,
    keep: float = 1.0,
) -> Propagation:
    """Return the predicted variances of z, going up, and factors of δ, going down.

    q^1 = Var(W^1)·‖x‖² + σ_b², q^l = n_(l−1)·Var(W^l)·E[φ(√q^(l−1) Z)²] + σ_b².
    ‖δ^l‖²/‖δ^(l+1)‖² = n_l·Var(W^(l+1))·E[φ′(√q^l Z)²]; at l = 0, φ′ = 1. Several inputs: the ratio of the mean squares,
    each input's being the product of its own factors.

    Args:
        phi: activation of the hidden layers, of all or of each.
        sizes: (n_0, …, n_L).
        variance: (fan_in, fan_out) -> Var(W), or that of each layer.
        bias_std: σ_b, or fan_in -> σ_b.
        input_square: mean over examples of ‖x‖², or ‖x‖² of each, shape (m,).
        keep: p, the share of hidden units that dropout keeps.

    Returns:
        The prediction.

    Source: Poole et al. 2016, eq. 3; Schoenholz et al. 2017, eq. 8, with the layer's own q in place of q*; Pretorius et al.
        2018 for dropout.
    """
    phis, of, q = by_layer(phi, len(sizes) - 2), by_fans(variance, sizes), list[FloatArray]()
    slopes: list[FloatArray] = []
    with np.errstate(all="ignore"):
        moment = np.asarray(input_square, dtype=float)
        for l in range(1, len(sizes)):
            if l > 1:
                second, slope = both_moments(phis[l - 2], q[-1])
                slopes.append(slope)
                moment = sizes[l - 1] * second / keep
            own = bias_std(sizes[l - 1]) if callable(bias_std) else bias_std
            q.append(of[l - 1] * moment + own * own)
        return Propagation(_average(slopes, sizes, of, keep), [float(value.mean()) for value in q[:-1]], q[-1])


def _average(means: list[FloatArray], sizes: tuple[int, ...], of: list[float], keep: float) -> FloatArray:
    """Return √ of the factors, averaged over inputs by the share of each in the mean square of δ."""
    share = np.ones(()) if not means else np.ones(means[0].shape)
    squares: list[float] = []
    for l in range(len(sizes) - 2, 0, -1):
        weighted = share * means[l - 1]
        mean = float(weighted.mean())
        squares.append(sizes[l] * of[l] * mean / keep)
        share = weighted / mean if mean > 0 else np.ones(weighted.shape)
    squares.append(sizes[0] * of[0])
    return np.sqrt(squares[::-1])
