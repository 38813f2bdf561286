"""How far a single net of finite width strays from the mean: ln‖δ‖² is a random walk over layers.

Going down one layer multiplies ‖δ‖² by χ·(1 + noise of variance κ/n). κ = 3E[φ′⁴]/E[φ′²]² − 1 for independent weights;
orthogonal weights keep lengths, and only the gates φ′ are left: κ = 3(E[φ′⁴]/E[φ′²]² − 1), 0 for the identity.
"""

import numpy as np

from bpcore.activations import Activation
from bpcore.arrays import FloatArray
from bpcore.theory.maps import chis, slopes
from bpcore.theory.quadrature import scaled_means


def kappa(phi: Activation, q: FloatArray, independent: bool = True) -> FloatArray:
    """Return κ(q), n times the variance of ln‖δ^l‖² − ln‖δ^(l+1)‖² of a layer of n units.

    Args:
        phi: the activation.
        q: variance of z, any shape.
        independent: whether the entries of W are independent; otherwise W is orthogonal and square.

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
    # E[X²] ≥ E[X]²: where φ′ is all but constant the ratio is 1 and rounding may put it below; a variance is not negative.
    return 3 * ratio - 1 if independent else 3 * np.maximum(ratio - 1, 0)


def log_spread(phi: Activation, widths: tuple[int, ...], variances: list[float], independent: bool = True) -> tuple[FloatArray, FloatArray]:
    """Return bias and variance of ln‖δ^l‖² of a single net about ln of its mean, for hidden layers l = 1…D.

    Variance Σ_(k≥l) κ(q^k)/n_k, bias −½ of it: the walk is log-normal about its mean.

    Known bias: exact to leading order for ReLU, leaky ReLU and the identity; for smooth φ an underestimate, because q
    fluctuates too. For one input; the mean square over many inputs fluctuates less, as far as they differ.

    Args:
        phi: the activation.
        widths: n_1…n_D.
        variances: q^1…q^D.
        independent: see `kappa`.

    Returns:
        Two arrays of D values.

    Source: Hanin & Nica 2018, theorem 1.
    """
    steps = kappa(phi, np.asarray(variances, dtype=float), independent) / np.asarray(widths, dtype=float)
    variance = np.cumsum(steps[::-1])[::-1]
    return -variance / 2, variance
