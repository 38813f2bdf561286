"""Losses J_i of one example, computed from z^L in a stable form, each with its fused δ^L = ∂J_i/∂z^L (BP1).

Where a loss and the output activation are fused, the product ∂J_i/∂a^L ⊙ φ′(z^L) is simplified by hand: it would
otherwise be 0/0 at saturation. The unfused chain is what the tests hold it against.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bpcore.activations import Activation, logistic
from bpcore.arrays import Array

Function = Callable[[Array, Array, Activation], Array]
"""(z^L, y, output φ) -> J_i or δ^L."""


@dataclass(frozen=True)
class Loss:
    """Bundle a loss with its error at the output.

    Args:
        name: what tables and figures call it.
        value: (z^L, y, output φ) -> J_i, shape (..., m).
        delta: (z^L, y, output φ) -> δ^L, shape (..., n_L, m).
        takes_logits: whether the loss has its own output nonlinearity, so that φ must be the identity.
        needs_classes: whether y must be a distribution over classes.
        elementwise: whether δ_k^L depends on z_k and y_k alone; where it does not, theory has no value unless `softmax`.
        softmax: whether δ^L = softmax(z^L) − y.
        constant: y, (n_L, m) -> the z^L, (n_L, 1), whose mean loss under the identity is the least that one output for all
            examples has; None where nobody has said.
    """

    name: str
    value: Function
    delta: Function
    takes_logits: bool
    needs_classes: bool
    elementwise: bool = False
    softmax: bool = False
    constant: Callable[[Array], Array] | None = None

    @property
    def single_logits(self) -> bool:
        """Return whether every output is a logit of its own, whose sign says yes or no."""
        return self.takes_logits and not self.needs_classes


def _mean(y: Array) -> Array:
    """Return the mean target."""
    return np.asarray(y.mean(axis=-1, keepdims=True))


def _share(y: Array) -> Array:
    """Return the mean target, inside (0, 1): a class that never occurs has a logit of −708 and not of −∞."""
    return np.clip(_mean(y), np.finfo(np.float64).tiny, 1 - np.finfo(np.float64).epsneg)


def mse_value(z: Array, y: Array, phi: Activation) -> Array:
    """Return J_i = ½‖a^L − y‖², shape (..., m)."""
    error = phi.value(z) - y
    halved: Array = 0.5 * (error * error).sum(axis=-2)
    return halved


def mse_delta(z: Array, y: Array, phi: Activation) -> Array:
    """Return δ^L = (a^L − y) ⊙ φ′(z^L), shape (..., n_L, m)."""
    return (phi.value(z) - y) * phi.prime(z)  # BP1


def mse() -> Loss:
    """Return half the squared error.

    J_i = ½‖a^L − y‖², δ^L = (a^L − y) ⊙ φ′(z^L), behind any output activation.
    """
    return Loss("mse", mse_value, mse_delta, takes_logits=False, needs_classes=False, elementwise=True, constant=_mean)


def cosh_value(z: Array, y: Array, phi: Activation) -> Array:
    """Return J_i = Σ_k 2 sinh²((a_k − y_k)/2), shape (..., m)."""
    half = np.sinh(0.5 * (phi.value(z) - y))
    total: Array = (2 * (half * half)).sum(axis=-2)
    return total


def cosh_delta(z: Array, y: Array, phi: Activation) -> Array:
    """Return δ^L = sinh(a^L − y) ⊙ φ′(z^L), shape (..., n_L, m)."""
    error: Array = np.sinh(phi.value(z) - y) * phi.prime(z)  # BP1
    return error


def cosh() -> Loss:
    """Return the hyperbolic error, whose curvature grows with its slope: quadratic near y, exponential far from it.

    J_i = Σ_k [cosh(a_k − y_k) − 1], written 2 sinh²((a − y)/2), δ^L = sinh(a^L − y) ⊙ φ′(z^L). It is (L₀, L₁)-smooth with
    L₀ = L₁ = 1 and not L-smooth for any L.

    Source: the smoothness condition is that of Zhang et al. 2020, "Why gradient clipping accelerates training".
    """

    def constant(y: Array) -> Array:
        return np.asarray(0.5 * np.log(np.exp(y).mean(axis=-1, keepdims=True) / np.exp(-y).mean(axis=-1, keepdims=True)))  # Σ sinh = 0

    return Loss("cosh", cosh_value, cosh_delta, takes_logits=False, needs_classes=False, elementwise=True, constant=constant)


def sigmoid_value(z: Array, y: Array, phi: Activation) -> Array:
    """Return J_i = Σ_k [max(z,0) − zy + ln(1+e^(−|z|))], shape (..., m)."""
    decay = np.exp(np.where(z.real < 0, z, -z))
    entropy: Array = (np.maximum(z, 0) - z * y + np.log1p(decay)).sum(axis=-2)
    return entropy


def sigmoid_delta(z: Array, y: Array, phi: Activation) -> Array:
    """Return δ^L = (1−y)σ(z) − yσ(−z), shape (..., n_L, m)."""
    error: Array = (1 - y) * logistic(z) - y * logistic(-z)  # BP1, fused
    return error


def sigmoid_cross_entropy() -> Loss:
    """Return the binary cross-entropy summed over outputs, on logits.

    J_i = Σ_k [max(z,0) − zy + ln(1+e^(−|z|))], δ^L = σ(z) − y, written (1−y)σ(z) − yσ(−z) so that it keeps its
    relative precision when the output saturates on the right side.
    """

    def constant(y: Array) -> Array:
        share = _share(y)
        return np.asarray(np.log(share) - np.log1p(-share))

    return Loss(
        "sigmoid_cross_entropy", sigmoid_value, sigmoid_delta, takes_logits=True, needs_classes=False, elementwise=True, constant=constant
    )


def _shifted_exp(z: Array) -> tuple[Array, Array]:
    """Return z − max z and its exponential; the shift is real, so that a complex step passes through."""
    shifted = z - z.real.max(axis=-2, keepdims=True)
    return shifted, np.exp(shifted)


def softmax_value(z: Array, y: Array, phi: Activation) -> Array:
    """Return J_i = Σ_k y_k (logsumexp(z) − z_k), shape (..., m)."""
    shifted, exponential = _shifted_exp(z)
    entropy: Array = (y * (np.log(exponential.sum(axis=-2, keepdims=True)) - shifted)).sum(axis=-2)
    return entropy


def softmax_delta(z: Array, y: Array, phi: Activation) -> Array:
    """Return δ^L = softmax(z) − y, shape (..., n_L, m)."""
    _, exponential = _shifted_exp(z)
    error: Array = exponential / exponential.sum(axis=-2, keepdims=True) - y  # BP1, fused
    return error


def softmax_cross_entropy() -> Loss:
    """Return the cross-entropy of a softmax, on logits.

    J_i = Σ_k y_k (logsumexp(z) − z_k), δ^L = softmax(z) − y, where Σ_k y_k = 1.
    """

    def constant(y: Array) -> Array:
        return np.asarray(np.log(_share(y)))

    return Loss(
        "softmax_cross_entropy", softmax_value, softmax_delta, takes_logits=True, needs_classes=True, softmax=True, constant=constant
    )
