"""Losses J_i of one example, computed from z^L in a stable form, each with its fused δ^L = ∂J_i/∂z^L (BP1).

Where a loss and the output activation are fused, the product ∂J_i/∂a^L ⊙ φ′(z^L) is simplified by hand: it would
otherwise be 0/0 at saturation. The unfused chain is what the tests hold it against.

A loss is summed over outputs, the quadratic one with the textbook's ½, or with `reduction="mean"` the mean over outputs without it: what
PyTorch's and Keras's losses are, so that a learning rate of theirs makes the same steps. Over the examples all are means.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

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
        averages: whether J_i is a mean over outputs: of n_L outputs one by one, the 1/n_L-th part of what they have alone.
    """

    name: str
    value: Function
    delta: Function
    takes_logits: bool
    needs_classes: bool
    elementwise: bool = False
    softmax: bool = False
    constant: Callable[[Array], Array] | None = None
    averages: bool = False

    @property
    def single_logits(self) -> bool:
        """Return whether every output is a logit of its own, whose sign says yes or no."""
        return self.takes_logits and not self.needs_classes


REDUCTIONS = ("sum_outputs", "mean")


def averaged(z: Array, y: Array, phi: Activation, *, function: Function, gain: float) -> Array:
    """Return gain/n_L times J_i or δ^L."""
    scaled: Array = function(z, y, phi) * (gain / z.shape[-2])
    return scaled


def reduced(loss: Loss, reduction: str, gain: float | None) -> Loss:
    """Return a loss that is summed over outputs as it is, or averaged over them: J_i and δ^L times gain/n_L.

    Args:
        loss: summed over outputs.
        reduction: sum_outputs or mean.
        gain: what the mean makes up for, 2 for a loss with ½; None where a sum over outputs is what is called their mean elsewhere.

    Returns:
        The loss.

    Raises:
        ValueError: the reduction is another.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"`reduction` must be {' or '.join(REDUCTIONS)}, got {reduction}")
    if reduction == "sum_outputs" or gain is None:
        return loss
    value, delta = (partial(averaged, function=function, gain=gain) for function in (loss.value, loss.delta))
    return replace(loss, value=value, delta=delta, averages=True)


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


def mse(reduction: str = "sum_outputs") -> Loss:
    """Return half the squared error.

    J_i = ½‖a^L − y‖², δ^L = (a^L − y) ⊙ φ′(z^L), behind any output activation; as a mean J_i = ‖a^L − y‖²/n_L.

    Args:
        reduction: sum_outputs, or mean as in PyTorch and Keras.

    Raises:
        ValueError: the reduction is another.
    """
    summed = Loss("mse", mse_value, mse_delta, takes_logits=False, needs_classes=False, elementwise=True, constant=_mean)
    return reduced(summed, reduction, 2.0)


def cosh_value(z: Array, y: Array, phi: Activation) -> Array:
    """Return J_i = Σ_k 2 sinh²((a_k − y_k)/2), shape (..., m)."""
    half = np.sinh(0.5 * (phi.value(z) - y))
    total: Array = (2 * (half * half)).sum(axis=-2)
    return total


def cosh_delta(z: Array, y: Array, phi: Activation) -> Array:
    """Return δ^L = sinh(a^L − y) ⊙ φ′(z^L), shape (..., n_L, m)."""
    error: Array = np.sinh(phi.value(z) - y) * phi.prime(z)  # BP1
    return error


def cosh(reduction: str = "sum_outputs") -> Loss:
    """Return the hyperbolic error, whose curvature grows with its slope: quadratic near y, exponential far from it.

    J_i = Σ_k [cosh(a_k − y_k) − 1], written 2 sinh²((a − y)/2), δ^L = sinh(a^L − y) ⊙ φ′(z^L). It is (L₀, L₁)-smooth with
    L₀ = L₁ = 1 and not L-smooth for any L.

    Args:
        reduction: sum_outputs or mean.

    Raises:
        ValueError: the reduction is another.

    Source: the smoothness condition is that of Zhang et al. 2020, "Why gradient clipping accelerates training".
    """

    def constant(y: Array) -> Array:
        return np.asarray(0.5 * np.log(np.exp(y).mean(axis=-1, keepdims=True) / np.exp(-y).mean(axis=-1, keepdims=True)))  # Σ sinh = 0

    summed = Loss("cosh", cosh_value, cosh_delta, takes_logits=False, needs_classes=False, elementwise=True, constant=constant)
    return reduced(summed, reduction, 1.0)


def sigmoid_value(z: Array, y: Array, phi: Activation) -> Array:
    """Return J_i = Σ_k [max(z,0) − zy + ln(1+e^(−|z|))], shape (..., m)."""
    decay = np.exp(np.where(z.real < 0, z, -z))
    entropy: Array = (np.maximum(z, 0) - z * y + np.log1p(decay)).sum(axis=-2)
    return entropy


def sigmoid_delta(z: Array, y: Array, phi: Activation) -> Array:
    """Return δ^L = (1−y)σ(z) − yσ(−z), shape (..., n_L, m)."""
    error: Array = (1 - y) * logistic(z) - y * logistic(-z)  # BP1, fused
    return error


def sigmoid_cross_entropy(reduction: str = "sum_outputs") -> Loss:
    """Return the binary cross-entropy summed over outputs, on logits.

    J_i = Σ_k [max(z,0) − zy + ln(1+e^(−|z|))], δ^L = σ(z) − y, written (1−y)σ(z) − yσ(−z) so that it keeps its
    relative precision when the output saturates on the right side.

    Args:
        reduction: sum_outputs, or mean as in PyTorch and Keras.

    Raises:
        ValueError: the reduction is another.
    """

    def constant(y: Array) -> Array:
        share = _share(y)
        return np.asarray(np.log(share) - np.log1p(-share))

    summed = Loss(
        "sigmoid_cross_entropy", sigmoid_value, sigmoid_delta, takes_logits=True, needs_classes=False, elementwise=True, constant=constant
    )
    return reduced(summed, reduction, 1.0)


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


def softmax_cross_entropy(reduction: str = "sum_outputs") -> Loss:
    """Return the cross-entropy of a softmax, on logits.

    J_i = Σ_k y_k (logsumexp(z) − z_k), δ^L = softmax(z) − y, where Σ_k y_k = 1. PyTorch and Keras sum over classes too, so that both
    reductions are the same.

    Args:
        reduction: sum_outputs or mean.

    Raises:
        ValueError: the reduction is another.
    """

    def constant(y: Array) -> Array:
        return np.asarray(np.log(_share(y)))

    summed = Loss(
        "softmax_cross_entropy", softmax_value, softmax_delta, takes_logits=True, needs_classes=True, softmax=True, constant=constant
    )
    return reduced(summed, reduction, None)
