"""The rate at which gradients grow under batch normalization, at a finite batch size.

With ẑ uniform on the sphere {Σẑ = 0, Σẑ² = B} (what normalizing a wide layer's z over a batch gives), γ = 1, β = 0 and a
backward signal that is isotropic over the batch but for its mean,
‖δ^l‖²/‖δ^(l+1)‖² = 1/(B−3) · E[(B−1−ẑ₁²)φ′(ẑ₁)² + (1+ẑ₁ẑ₂)φ′(ẑ₁)φ′(ẑ₂)] / (E[φ(ẑ₁)²] − E[φ(ẑ₁)φ(ẑ₂)]).
σ_w drops out. Under dropout that keeps a share p of the units, each example by its own mask, squares of one example are 1/p times as large
and products of two are not: φ′(ẑ₁)² and φ(ẑ₁)² are divided by p. ε > 0 shrinks ẑ by √ρ, ρ = v/(v+ε) with v the variance of z, and leaves
ρ(2−ρ) of the projection along ẑ.

Known bias: exact for layers far from input and output, of nets much wider than the batch is large. On digits, 64 wide
and with up to a thousand examples a batch, the factor of the norm is right to 1 % for ReLU and up to 4 % too low for tanh
and sigmoid.
"""

from dataclasses import dataclass

import numpy as np

from bpcore.activation import Activation, Phis, by_layer
from bpcore.arrays import FloatArray
from bpcore.theory.quadrature import Function, gaussian_mean

_RADIAL_EDGES = np.array([0.0, 0.05, 0.25, 0.75, 1.5, 3.0, 6.0, 12.0, 24.0, 45.0])
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_ANGLE_NODES, _ANGLE_WEIGHTS = np.polynomial.legendre.leggauss(24)


@dataclass(frozen=True)
class BatchMoments:
    """Hold the two expectations of a normalized layer that the rate is made of.

    Args:
        gain: E[(B−1−ρ(2−ρ)ẑ₁²)φ′(h₁)² + (1+ρ(2−ρ)ẑ₁ẑ₂)φ′(h₁)φ′(h₂)]/B, h = √ρ ẑ: the factor of ‖g‖² from the error at
            a^l to that at z^l, times the variance v+ε of z.
        spread: E[φ(h₁)²] − E[φ(h₁)φ(h₂)], the variance of the activations between examples. Either with its squares over p.
    """

    gain: float
    spread: float


def _sphere(batch: int, kinks: tuple[float, ...]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return (ẑ₁, ẑ₂) and weights for the density ∝ [B(B−2) − B(ẑ₁²+ẑ₂²) + (ẑ₁−ẑ₂)²]₊^((B−5)/2).

    In s = (ẑ₁+ẑ₂)/√2 = √(B−2) r cos θ, d = (ẑ₁−ẑ₂)/√2 = √B r sin θ the density is that of θ uniform and r² = 1−u^(2/(B−3)),
    u uniform; with u = e^(−x), x is exponential. ẑ₁ and ẑ₂ are √(B−1) r cos(θ ∓ α), so that kinks are known angles.
    """
    half = np.diff(_RADIAL_EDGES)[:, None] / 2
    x = (_RADIAL_EDGES[:-1, None] + half * (1 + _NODES)).ravel()
    weight = (half * _WEIGHTS).ravel() * np.exp(-x)
    r = np.sqrt(-np.expm1(-2 * x / (batch - 3)))
    reach, alpha = np.sqrt(batch - 1) * r, np.arctan2(np.sqrt(batch), np.sqrt(batch - 2))
    corners = []
    for kink in {0.0, *kinks}:
        angle = np.arccos(np.clip(kink / reach, -1, 1))
        corners += [np.mod(sign * angle + shift, 2 * np.pi) for sign in (-1, 1) for shift in (-alpha, alpha)]
    quarters = [np.full(len(r), corner) for corner in (0.0, np.pi / 2, np.pi, 3 * np.pi / 2, 2 * np.pi)]
    edges = np.sort(np.stack([*quarters, *corners], axis=-1), axis=-1)
    half_angle = np.diff(edges, axis=-1)[..., None] / 2
    theta = (edges[:, :-1, None] + half_angle * (1 + _ANGLE_NODES)).reshape(len(r), -1)
    angular = (half_angle * _ANGLE_WEIGHTS).reshape(len(r), -1) / (2 * np.pi)
    s = np.sqrt(batch - 2.0) * r[:, None] * np.cos(theta)
    d = np.sqrt(float(batch)) * r[:, None] * np.sin(theta)
    return (s + d) / np.sqrt(2), (s - d) / np.sqrt(2), weight[:, None] * angular


def batch_moments(phi: Activation, batch: float, rho: float = 1.0, keep: float = 1.0) -> BatchMoments:
    """Return the expectations over the sphere of a normalized batch.

    Args:
        phi: the activation.
        batch: B ≥ 4, or infinite.
        rho: v/(v+ε) in (0, 1].
        keep: p, the share of units that dropout keeps.

    Returns:
        Gain and spread; for B → ∞ E[φ′(√ρ Z)²] and Var φ(√ρ Z), squares over p.

    Source: Yang et al. 2019, theorems 5 to 9.
    """
    root = np.sqrt(rho)
    if np.isinf(batch):
        breaks = tuple(kink / root for kink in phi.kinks)

        def mean(function: Function) -> float:
            return gaussian_mean(lambda z: function(root * z), breaks)

        return BatchMoments(mean(lambda h: phi.prime(h) ** 2) / keep, mean(lambda h: phi.value(h) ** 2) / keep - mean(phi.value) ** 2)
    one, two, weight = _sphere(int(batch), tuple(kink / root for kink in phi.kinks))
    value, other = phi.value(root * one), phi.value(root * two)
    slope, other_slope = phi.prime(root * one), phi.prime(root * two)
    taken = rho * (2 - rho)
    gain = (batch - 1 - taken * one**2) * slope**2 / keep + (1 + taken * one * two) * slope * other_slope
    spread = value * (value / keep - other)
    return BatchMoments(float((weight * gain).sum() / batch), float((weight * spread).sum()))


def batch_norm_rate(phi: Activation, batch: float, keep: float = 1.0) -> float:
    """Return the factor of ‖δ‖² per layer, deep inside a wide net with batch normalization before φ.

    Args:
        phi: the activation.
        batch: B; infinite for the limit.
        keep: p, the share of units that dropout keeps.

    Returns:
        The rate: (B−2)/(B−3) for the identity, π/(π−1) for ReLU at B → ∞. NaN for B < 4, where the expectation of one
        over a batch's variance is infinite.

    Source: Yang et al. 2019, theorems 5 to 9.
    """
    if batch < 4:
        return float("nan")
    moments = batch_moments(phi, batch, keep=keep)
    with np.errstate(all="ignore"):
        unbiased = 1.0 if np.isinf(batch) else batch / (batch - 3)
        return float(unbiased * moments.gain / np.float64(moments.spread))


def batch_square(phi: Activation, batch: int) -> float:
    """Return E[φ(ẑ₁)²], the mean square of a normalized layer's activations; NaN for B < 4."""
    if batch < 4:
        return float("nan")
    one, _, weight = _sphere(batch, phi.kinks)
    return float((weight * phi.value(one) ** 2).sum())


@dataclass(frozen=True)
class FirstLayer:
    """Hold what the inputs say of the first layer, for Var(W^1) = 1; v is the variance of z^1 over a batch.

    Args:
        variance: mean of v over the units.
        inverse: mean of 1/v.
        length: mean of ‖w‖²/v, w the weights of a unit: long weights make v large and δ small, which matters for δ^0.
    """

    variance: float
    inverse: float
    length: float


def first_layer(eigenvalues: FloatArray, inputs: int) -> FirstLayer:
    """Return the moments of v = wᵀCw for standard normal w, C the inputs' covariance over a batch.

    E[1/v] = ∫₀^∞ Π_k (1+2λ_k t)^(−1/2) dt, E[‖w‖²/v] the same integral with the factor Σ_k 1/(1+2λ_k t).

    Args:
        eigenvalues: λ ≥ 0 of C; those that are 0 may be left out.
        inputs: n_0.

    Returns:
        The moments; the inverse ones are infinite with fewer than three positive eigenvalues.
    """
    positive = np.asarray(eigenvalues, dtype=float)
    positive = positive[positive > 1e-12 * positive.max(initial=0.0)]
    scale = float(positive.sum())
    if len(positive) < 3:
        return FirstLayer(scale, float("inf"), float("inf"))
    edges = np.linspace(-30.0, 30.0 + 60.0 / len(positive), 61)
    half = np.diff(edges)[:, None] / 2
    t = np.exp((edges[:-1, None] + half * (1 + _NODES)).ravel())
    stretch = 1 + 2 * t[:, None] * (positive / scale)
    steps = (half * _WEIGHTS).ravel() * t * np.exp(-0.5 * np.log(stretch).sum(axis=-1))
    lengths = (1 / stretch).sum(axis=-1) + (inputs - len(positive))
    return FirstLayer(scale, float(steps.sum() / scale), float((steps * lengths).sum() / scale))


def batch_norm_factors(
    phi: Phis,
    sizes: tuple[int, ...],
    variances: list[float],
    batch: int,
    eps: float,
    first: FirstLayer,
    keep: float = 1.0,
) -> FloatArray:
    """Return the predicted ratio ‖δ^l‖/‖δ^(l+1)‖ for l = 0…D under batch normalization of the hidden layers.

    n_l·Var(W^(l+1))·gain·E[1/(v^l+ε)]. In layers 2…D the mean of v is n_(l−1)·Var(W^l)·spread·(B−1)/B and v·E[1/v] is
    (B−1)/(B−3); in layer 1 both come from the inputs' covariance over the batch, since inputs are no normalized layer. ε
    enters E[1/(v+ε)] to second order in the fluctuations of v. The output layer is not normalized; its δ is taken to be
    isotropic over the batch, as balanced classes make it. At l = 0 the factor is
    √Var(W^1) times the length of a unit's weights, averaged as δ^1 is large. Biases drop out.

    Args:
        phi: activation of the hidden layers, of all or of each.
        sizes: (n_0, …, n_L).
        variances: Var(W^1)…Var(W^L).
        batch: B.
        eps: ε.
        first: what the inputs say of layer 1.
        keep: p, the share of hidden units that dropout keeps.

    Returns:
        Shape (L,); NaN for B < 4.
    """
    hidden = len(sizes) > 2 and np.isfinite(first.inverse)
    squares = [variances[0] * (first.length / first.inverse if hidden else sizes[0])]
    v, excess = variances[0] * first.variance, first.variance * first.inverse - 1
    phis, known = by_layer(phi, len(sizes) - 2), dict[tuple[Activation, float], BatchMoments]()
    for l in range(1, len(sizes) - 1):
        if batch < 4 or not v > 0 or not np.isfinite(excess):
            squares.append(np.nan)
            continue
        rho = round(v / (v + eps), 12)
        own = phis[l - 1]
        moments = known.get((own, rho)) or known.setdefault((own, rho), batch_moments(own, batch, rho, keep))
        inverse = (1 + rho * rho * excess) / (v + eps)
        squares.append(sizes[l] * variances[l] * moments.gain * inverse)
        v = sizes[l] * variances[l] * moments.spread * (batch - 1) / batch
        excess = 2 / (batch - 3)  # v is χ² with B−1 degrees of freedom over the units
    return np.sqrt(squares)
