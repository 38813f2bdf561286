"""How far a single net of finite width strays from the mean: ln‖δ‖² is a random walk over layers.

Going down one layer multiplies ‖δ‖² by χ·(1 + noise of variance κ/n). κ = 3E[φ′⁴]/E[φ′²]² − 1 for independent weights;
orthogonal weights keep lengths, and only the gates φ′ are left: κ = 3(E[φ′⁴]/E[φ′²]² − 1), 0 for the identity. Dropout that keeps a
share p of the units is a gate as well: E[φ′⁴]/E[φ′²]² is 1/p times as large, and κ of ReLU 6/p − 1.
"""

from collections.abc import Callable

import numpy as np

from bpcore.activation import Activation, Phis, of_each
from bpcore.arrays import FloatArray
from bpcore.theory.maps import chis, second_moments, slopes
from bpcore.theory.quadrature import scaled_means


def kappa(phi: Activation, q: FloatArray, independent: bool = True, keep: float = 1.0) -> FloatArray:
    """Return κ(q), n times the variance of ln‖δ^l‖² − ln‖δ^(l+1)‖² of a layer of n units.

    Args:
        phi: the activation.
        q: variance of z, any shape.
        independent: whether the entries of W are independent; otherwise W is orthogonal and square.
        keep: p, the share of units that dropout keeps.

    Returns:
        Shape of q: for independent weights 2 for the identity, 5 for ReLU; for orthogonal ones 0 and 3. Leading order
        in 1/n.

    Source: Hanin & Nica 2018, theorem 1, for ReLU; the rest by the same expansion.
    """
    q = np.asarray(q, dtype=float)
    a = slopes(phi)
    with np.errstate(all="ignore"):
        if a is not None:
            ratio = np.full(q.shape, 2 * (a[0] ** 4 + a[1] ** 4) / np.float64(a[0] ** 2 + a[1] ** 2) ** 2)
        else:
            ratio = scaled_means(lambda u: phi.prime(u) ** 4, q, phi.breaks, phi.steep) / chis(phi, q) ** 2
    ratio = ratio / keep
    # E[X²] ≥ E[X]²: where φ′ is all but constant the ratio is 1 and rounding may put it below; a variance is not negative.
    return 3 * ratio - 1 if independent else 3 * np.maximum(ratio - 1, 0)


def log_spread(
    phi: Phis, widths: tuple[int, ...], variances: list[float], independent: bool = True, keep: float = 1.0
) -> tuple[FloatArray, FloatArray]:
    """Return bias and variance of ln‖δ^l‖² of a single net about ln of its mean, for hidden layers l = 1…D.

    Variance Σ_(k≥l) κ(q^k)/n_k, bias −½ of it: the walk is log-normal about its mean.

    Known bias: exact to leading order for ReLU, leaky ReLU and the identity; for smooth φ an underestimate, because q
    fluctuates too. For one input; the mean square over many inputs fluctuates less, as far as they differ.

    Args:
        phi: the activation, of all hidden layers or of each.
        widths: n_1…n_D.
        variances: q^1…q^D.
        independent: see `kappa`.
        keep: p, the share of units that dropout keeps.

    Returns:
        Two arrays of D values.

    Source: Hanin & Nica 2018, theorem 1.
    """
    q = np.asarray(variances, dtype=float)
    steps = of_each(lambda own, at: kappa(own, at, independent, keep), phi, q) / np.asarray(widths, dtype=float)
    variance = np.cumsum(steps[::-1])[::-1]
    return -variance / 2, variance


MOST_NOISE = 0.5
"""κ/n of a layer up to which its noise is taken for small: beyond, ln(1 + noise) is not its noise."""

MOST_BEND = 0.25
"""|c_l|·Var ξ_l up to which ln χ is taken for linear in the length: beyond, the bend is as large as what is counted."""


def length_spread(
    phi: Phis,
    widths: tuple[int, ...],
    variances: list[float],
    bias_std: float | FloatArray = 0.0,
    independent: bool = True,
    keep: float = 1.0,
) -> float:
    """Return the variance of ln(‖δ^1‖²/‖δ^D‖²) of a single net, with what its lengths q^l add, which stray from the mean themselves.

    ξ_l = δ ln q^l walks up as ξ_(l+1) = w_l (s_l ξ_l + η_l), Var η_l = (E[φ⁴]/E[φ²]² − 1)/n_l, s_l = d ln E[φ²]/d ln q, w_l the share of
    weights in q^(l+1); at each layer χ changes by c_l ξ_l, c_l = d ln χ/d ln q. The same z make η_l and the walk's own noise. Where
    lengths are stable (w s < 1) it adds little; under GELU or SiLU at σ_w² = 2 they run away.

    Args:
        phi: the activation, of all hidden layers or of each.
        widths: n_1…n_D.
        variances: q^1…q^D.
        bias_std: σ_b, or those of layers 2…D.
        independent: see `kappa`.
        keep: p, the share of units that dropout keeps.

    Returns:
        Not below that of `log_spread`; 0 with fewer than two hidden layers. Leading order in 1/n, for one input: NaN where that order
        does not tell, beyond MOST_NOISE in a layer (few units of a saturated layer carry its whole error) or MOST_BEND.

    Source: the expansion of Hanin & Nica 2018, with the length map of Poole et al. 2016 linearized about its mean.
    """
    n, q = np.asarray(widths[:-1], dtype=float), np.asarray(variances[:-1], dtype=float)
    if not len(n):
        return 0.0
    phi = phi if isinstance(phi, Activation) else phi[:-1]
    walk = of_each(lambda own, at: kappa(own, at, independent, keep), phi, q)
    with np.errstate(all="ignore"):
        square, slope = of_each(second_moments, phi, q), of_each(chis, phi, q)
        s, c = (_log_slope(phi, of, q) for of in (second_moments, chis))
        share = 1 - bias_std**2 / np.asarray(variances[1:], dtype=float)
        length = of_each(_fourth, phi, q) / square**2 / keep - 1
        both = of_each(_both, phi, q) / (square * slope) / keep - 1
        strayed, bend = 0.0, 0.0
        for k in range(len(n)):
            bend = max(bend, abs(float(c[k])) * strayed)
            strayed = share[k] ** 2 * (s[k] ** 2 * strayed + length[k] / n[k])
        later, total = 0.0, 0.0
        for k in range(len(n) - 1, -1, -1):
            own = share[k] * later
            total += (walk[k] + own * own * length[k] + 2 * own * both[k]) / n[k]
            later = c[k] + share[k] * s[k] * later
    least = float((walk / n).sum())
    told = np.isfinite(total) and bool((walk / n <= MOST_NOISE).all()) and bend <= MOST_BEND
    return max(least, float(total)) if told else float("nan")


def _fourth(phi: Activation, q: FloatArray) -> FloatArray:
    """Return E[φ(√q Z)⁴]."""
    return scaled_means(lambda u: phi.value(u) ** 4, q, phi.breaks, phi.steep)


def _both(phi: Activation, q: FloatArray) -> FloatArray:
    """Return E[φ(√q Z)²φ′(√q Z)²]."""
    return scaled_means(lambda u: (phi.value(u) * phi.prime(u)) ** 2, q, phi.breaks, phi.steep)


def _log_slope(phi: Phis, of: Callable[[Activation, FloatArray], FloatArray], q: FloatArray) -> FloatArray:
    """Return d ln f/d ln q of a mean over φ by a central difference."""
    up, down = of_each(of, phi, q * np.exp(_SMALL)), of_each(of, phi, q * np.exp(-_SMALL))
    slope: FloatArray = (np.log(up) - np.log(down)) / (2 * _SMALL)
    return slope


_SMALL = 1e-3
