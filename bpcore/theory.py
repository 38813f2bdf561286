"""Mean-field predictions of forward variances and of the factor by which δ changes per layer.

q^1 = Var(W^1)·‖x‖² + σ_b², q^(l+1) = σ_w² E[φ(√q^l Z)²] + σ_b², and E‖δ^l‖² = χ(q^l) E‖δ^(l+1)‖² with
χ(q) = σ_w² E[φ′(√q Z)²], Z standard normal, σ_w² = fan_in·Var(W) as the initializer declares it. No prediction is made for
regimes that this theory does not cover; the value is then NaN.
"""

from collections.abc import Callable

import numpy as np

from bpcore.activations import Activation
from bpcore.arrays import FloatArray

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(40)
_REACH = 38.0  # the normal density underflows beyond


def gaussian_mean(function: Callable[[FloatArray], FloatArray], breaks: tuple[float, ...] = ()) -> float:
    """Return E[f(Z)], Z standard normal, by Gauss–Legendre panels split at the given points.

    Args:
        function: elementwise, real.
        breaks: where f or a derivative of it jumps, or where it varies on a scale of its own.

    Returns:
        The expectation.
    """
    inner = [0.5, 1.0, 2.0, 3.0, 4.5, 6.0, 8.0, 12.0, 20.0, _REACH]
    edges = np.unique([0.0, *inner, *(-e for e in inner), *(b for b in breaks if abs(b) < _REACH)])
    half = np.diff(edges)[:, None] / 2
    points = edges[:-1, None] + half * (1 + _NODES)
    density = np.exp(-0.5 * points**2) / np.sqrt(2 * np.pi)
    return float((half * _WEIGHTS * density * function(points)).sum())


def _breaks(phi: Activation, q: float) -> tuple[float, ...]:
    """Return the kinks of φ(√q Z) and a ladder on its own scale 1/√q, which is narrow when q is large."""
    if q <= 0:
        return ()
    ladder = [sign * step for sign in (-1, 1) for step in (0.5, 1, 2, 4, 8, 16, 32)]
    return tuple(point / np.sqrt(q) for point in (*phi.kinks, *ladder))


def second_moment(phi: Activation, q: float) -> float:
    """Return E[φ(√q Z)²] for q ≥ 0."""
    return gaussian_mean(lambda z: phi.value(np.sqrt(q) * z) ** 2, _breaks(phi, q))


def chi(phi: Activation, q: float, sigma_w2: float) -> float:
    """Return χ(q) = σ_w² E[φ′(√q Z)²], the factor of ‖δ‖² per layer.

    Args:
        phi: the activation.
        q: variance of z, ≥ 0.
        sigma_w2: σ_w² = Var(W)·fan_in.

    Returns:
        χ ≥ 0.

    Source: Poole et al. 2016, eq. 7; Schoenholz et al. 2017, eq. 4.
    """
    return sigma_w2 * gaussian_mean(lambda z: phi.prime(np.sqrt(q) * z) ** 2, _breaks(phi, q))


def layer_variances(
    phi: Activation, sizes: tuple[int, ...], variance: Callable[[int, int], float], bias_std: float, input_square: float
) -> list[float]:
    """Return q^1…q^D, the predicted mean square of z per hidden layer.

    q^1 = Var(W^1)·‖x‖² + σ_b², q^l = n_(l−1)·Var(W^l)·E[φ(√q^(l−1) Z)²] + σ_b².

    Args:
        phi: activation of the hidden layers.
        sizes: (n_0, …, n_L).
        variance: (fan_in, fan_out) -> Var(W).
        bias_std: σ_b.
        input_square: mean over examples of ‖x‖².

    Returns:
        D = L − 1 values.

    Source: Poole et al. 2016, eq. 3.
    """
    result: list[float] = []
    for l in range(1, len(sizes) - 1):
        moment = input_square if l == 1 else sizes[l - 1] * second_moment(phi, result[-1])
        result.append(variance(sizes[l - 1], sizes[l]) * moment + bias_std * bias_std)
    return result


def delta_factors(
    phi: Activation, sizes: tuple[int, ...], variance: Callable[[int, int], float], bias_std: float, input_square: float
) -> FloatArray:
    """Return the predicted ratio ‖δ^l‖/‖δ^(l+1)‖ for l = 0…D, in root mean square over weights.

    ‖δ^l‖²/‖δ^(l+1)‖² = n_l·Var(W^(l+1))·E[φ′(√q^l Z)²]; at l = 0, φ′ = 1.

    Args:
        phi: activation of the hidden layers.
        sizes: (n_0, …, n_L).
        variance: (fan_in, fan_out) -> Var(W).
        bias_std: σ_b.
        input_square: mean over examples of ‖x‖².

    Returns:
        Shape (L,), entry l the ratio at layer l. NaN or inf where a variance leaves the finite numbers.
    """
    with np.errstate(all="ignore"):
        q = layer_variances(phi, sizes, variance, bias_std, input_square)
        squares = [sizes[0] * variance(sizes[0], sizes[1])]
        for l in range(1, len(sizes) - 1):
            finite = np.isfinite(q[l - 1])
            squares.append(chi(phi, q[l - 1], sizes[l] * variance(sizes[l], sizes[l + 1])) if finite else np.nan)
        return np.sqrt(squares)
