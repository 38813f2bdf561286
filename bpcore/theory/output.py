"""The predicted size of δ^L at initialization, from the variance of the output layer's z and the targets.

In a wide net the entries of z^L are independent normals of variance q^L, and independent of the targets, so that
E‖δ^L‖² is an expectation over them: of one variable where the loss treats outputs one by one, of a closed integral for
softmax. In a single net with few outputs ‖δ^L‖² fluctuates about it.
"""

import functools

import numpy as np

from bpcore.activations import Activation
from bpcore.arrays import FloatArray
from bpcore.losses import Loss
from bpcore.theory.quadrature import density, panels, scaled_breaks

_MOST_TARGETS = 64
_STEP = 0.25  # of the trapezoidal rule in ln t; its error is about exp(−π²/step)
_REACH = 8.5  # standard deviations
_STEEPEST = 12.0


def elementwise_error(loss: Loss, phi: Activation, q: FloatArray, targets: FloatArray) -> FloatArray:
    """Return E‖δ^L‖², the mean over examples, of a loss that treats the outputs one by one.

    Σ_k E[δ(√q Z, y_k)²], by quadrature over Z.

    Args:
        loss: J_i.
        phi: output activation.
        q: q^L ≥ 0, any shape.
        targets: y, shape (n_L, m).

    Returns:
        Shape of q.
    """
    values, counts = np.unique(targets, return_counts=True)
    if len(values) > _MOST_TARGETS:
        groups = np.array_split(np.sort(targets.ravel()), _MOST_TARGETS)
        values, counts = np.array([group.mean() for group in groups]), np.array([len(group) for group in groups])
    q = np.asarray(q, dtype=float)
    with np.errstate(all="ignore"):
        points, weights = panels(scaled_breaks(q, phi.breaks), phi.steep)
        z = np.sqrt(q)[..., None] * points
        total = np.zeros(q.shape)
        for value, count in zip(values, counts, strict=True):
            flat = z.reshape(1, -1)
            error = loss.delta(flat, np.full(flat.shape, value), phi).reshape(z.shape)
            total = total + count * (weights * error**2).sum(axis=-1)
        mean: FloatArray = total / targets.shape[1]
        return mean / targets.shape[0] ** 2 if loss.averages else mean


def softmax_error(q: FloatArray, classes: int) -> FloatArray:
    """Return E‖softmax(z) − y‖² = K·E[p_1²] − 2/K + 1 for z of K independent N(0, q) and y one-hot.

    E[p_1²] = ∫₀^∞ t E[e^(2z) e^(−t e^z)] E[e^(−t e^z)]^(K−1) dt, since 1/S² = ∫ t e^(−tS) dt for S = Σ_k e^(z_k). In ln t and
    z both integrands are analytic and decay, so that the trapezoidal rule converges exponentially. Beyond √q = 12 the
    distance to the limit is continued as 1/√q.

    Args:
        q: q^L ≥ 0, any shape.
        classes: K ≥ 2.

    Returns:
        Shape of q, between (K−1)/K at q = 0 and 2(K−1)/K.
    """
    q = np.asarray(q, dtype=float)
    return np.array([_softmax_error(float(value), classes) for value in q.ravel()]).reshape(q.shape)


@functools.lru_cache(maxsize=1024)
def _softmax_error(q: float, classes: int) -> float:
    if not np.isfinite(q):
        return float("nan")
    limit, root = 2 - 2 / classes, np.sqrt(q)
    if root > _STEEPEST:
        return float(limit - (limit - _softmax_error(_STEEPEST**2, classes)) * _STEEPEST / root)
    spacing = _STEP / max(root, 1.0)
    z = spacing * np.arange(-np.ceil(_REACH / spacing), np.ceil(_REACH / spacing) + 1)
    s = np.arange(-np.log(classes) - _REACH * root - 22, _REACH * root + 5, _STEP)
    exponent = s[:, None] + root * z  # ln(t e^z)
    weight = spacing * density(z)
    with np.errstate(all="ignore"):
        decay = np.exp(-np.exp(exponent))
        laplace = (weight * decay).sum(axis=-1)
        second = (weight * np.exp(2 * exponent) * decay).sum(axis=-1)  # t² E[e^(2z) e^(−t e^z)]
    square = float((_STEP * second * laplace ** (classes - 1)).sum())
    return classes * square - 2 / classes + 1


def output_error(loss: Loss, phi: Activation, q: FloatArray, targets: FloatArray) -> FloatArray:
    """Return E‖δ^L‖², or NaN for a loss that declares neither that it treats its outputs one by one nor that it is a softmax.

    Args:
        loss: J_i.
        phi: output activation.
        q: q^L, any shape.
        targets: y, shape (n_L, m).

    Returns:
        Shape of q, mean over examples.
    """
    outputs = targets.shape[0]
    if loss.elementwise or outputs == 1:
        return elementwise_error(loss, phi, q, targets)
    one_hot = bool(np.all((targets == 0) | (targets == 1)) and np.all(targets.sum(axis=0) == 1))
    return softmax_error(q, outputs) if loss.softmax and one_hot else np.full(np.shape(q), np.nan)
