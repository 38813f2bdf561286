"""Losses: values against their naive formulas, δ^L against the unfused chain, stability far out."""

import numpy as np
import pytest

from bpcore.activations import Activation, identity, tanh
from tests.bpcore.cases import ACTIVATIONS, targets
from tests.oracles import LOSSES as FORMULAS
from tests.oracles import Array, catalogue, row_for

LOSSES = catalogue("loss")

every_loss = pytest.mark.parametrize("name", LOSSES)
fused = pytest.mark.parametrize("name", [name for name in LOSSES if LOSSES[name]().takes_logits])


def outputs(name: str) -> list[Activation]:
    return [identity()] if LOSSES[name]().takes_logits else [factory() for factory in ACTIVATIONS.values()]


def logits(shape: tuple[int, ...] = (2, 3, 5), scale: float = 1.0) -> Array:
    return scale * np.random.default_rng(1).standard_normal(shape)


@every_loss
def test_value_is_the_formula(name: str) -> None:
    z, y = logits(), targets(name, 3, 5, np.random.default_rng(2))
    formula = row_for(FORMULAS, name, "formula", "tests/oracles.py, LOSSES")
    for phi in outputs(name):
        value = LOSSES[name]().value(z, y, phi)
        assert value.shape == (2, 5)
        np.testing.assert_allclose(value, formula(phi.value(z), y), rtol=1e-13)


def test_values_worked_by_hand() -> None:
    z, y = np.array([[1.0], [3.0]]), np.array([[0.0], [1.0]])
    assert LOSSES["mse"]().value(z, y, identity())[0] == 2.5  # ½(1² + 2²)
    assert LOSSES["cosh"]().value(z, y, identity())[0] == pytest.approx(np.cosh(1) + np.cosh(2) - 2, rel=1e-15)
    assert LOSSES["sigmoid_cross_entropy"]().value(0 * z, y, identity())[0] == pytest.approx(2 * np.log(2), rel=1e-15)
    assert LOSSES["softmax_cross_entropy"]().value(0 * z, y, identity())[0] == pytest.approx(np.log(2), rel=1e-15)
    assert LOSSES["softmax_cross_entropy"]().value(z, y, identity())[0] == pytest.approx(np.log1p(np.exp(-2)), rel=1e-14)


def test_sigmoid_delta_against_the_unfused_chain() -> None:
    z, y = logits(), targets("sigmoid_cross_entropy", 3, 5, np.random.default_rng(2))
    a = 1 / (1 + np.exp(-z))
    unfused = (a - y) / (a * (1 - a)) * (a * (1 - a))
    np.testing.assert_allclose(LOSSES["sigmoid_cross_entropy"]().delta(z, y, identity()), unfused, rtol=1e-12)


def test_softmax_delta_against_the_explicit_jacobian() -> None:
    z, y = logits()[0], targets("softmax_cross_entropy", 3, 5, np.random.default_rng(2))
    delta = LOSSES["softmax_cross_entropy"]().delta(z[None], y[None], identity())[0]
    for i in range(5):
        p = np.exp(z[:, i]) / np.exp(z[:, i]).sum()
        jacobian = np.diag(p) - np.outer(p, p)  # ∂p_j/∂z_k
        np.testing.assert_allclose(delta[:, i], jacobian @ (-y[:, i] / p), rtol=1e-11)


def test_mse_delta_is_the_chain_behind_any_output() -> None:
    z, y = logits(), targets("mse", 3, 5, np.random.default_rng(2))
    for phi in outputs("mse"):
        np.testing.assert_array_equal(LOSSES["mse"]().delta(z, y, phi), (phi.value(z) - y) * phi.prime(z))


def test_cosh_keeps_its_precision_near_the_target_where_cosh_minus_one_loses_it() -> None:
    z, y = np.array([[1e-9]]), np.zeros((1, 1))
    assert LOSSES["cosh"]().value(z, y, identity())[0] == pytest.approx(5e-19, rel=1e-14)
    assert np.cosh(1e-9) - 1 == 0


@pytest.mark.parametrize("name", ["identity", "sigmoid"])
def test_cosh_delta_is_the_chain_behind_any_output(name: str) -> None:
    z, y, phi = logits(), targets("cosh", 3, 5, np.random.default_rng(2)), ACTIVATIONS[name]()
    np.testing.assert_allclose(LOSSES["cosh"]().delta(z, y, phi), np.sinh(phi.value(z) - y) * phi.prime(z), rtol=1e-15)


def test_cosh_has_a_curvature_bounded_by_its_slope_and_by_no_constant() -> None:
    z, y = np.linspace(-30, 30, 61)[None], np.zeros((1, 61))
    slope = LOSSES["cosh"]().delta(z, y, identity())
    curvature = LOSSES["cosh"]().delta(z + 1e-30j, y, identity()).imag / 1e-30
    assert (curvature <= 1 + np.abs(slope)).all()
    assert curvature.max() > 1e12


@fused
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stable_far_out_without_warnings(name: str, dtype: type) -> None:
    loss = LOSSES[name]()
    z = np.array([[1e3, -1e3, 0.0, 700.0], [-1e3, 1e3, 0.0, -90.0], [0.0, 1e3, -1e3, 88.0]], dtype=dtype)
    y = np.eye(3, 4, dtype=dtype)
    y[0, 3] = 1.0
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        value, delta = loss.value(z, y, identity()), loss.delta(z, y, identity())
    for array in (value, delta):
        assert array.dtype == dtype
        assert np.isfinite(array).all()
    assert (value >= 0).all()
    assert (np.abs(delta) <= 1).all()


@fused
def test_a_confident_mistake_costs_its_logit(name: str) -> None:
    z, y = np.array([[1e3], [-1e3]]), np.array([[0.0], [1.0]])
    value = LOSSES[name]().value(z, y, identity())
    assert value[0] == 2e3
    np.testing.assert_array_equal(LOSSES[name]().delta(z, y, identity()), [[1.0], [-1.0]])


def test_sigmoid_delta_keeps_its_precision_where_the_output_is_right() -> None:
    z = np.array([[50.0, -50.0]])
    delta = LOSSES["sigmoid_cross_entropy"]().delta(z, np.array([[1.0, 0.0]]), identity())
    np.testing.assert_allclose(delta, [[-np.exp(-50), np.exp(-50)]], rtol=1e-14)


def test_softmax_error_sums_to_zero_and_ignores_a_shift() -> None:
    loss, z, y = LOSSES["softmax_cross_entropy"](), logits(), targets("softmax_cross_entropy", 3, 5, np.random.default_rng(2))
    np.testing.assert_allclose(loss.delta(z, y, identity()).sum(axis=-2), 0, atol=1e-15)
    np.testing.assert_allclose(loss.value(z + 37.5, y, identity()), loss.value(z, y, identity()), rtol=1e-13)


@every_loss
def test_what_a_loss_says_of_itself(name: str) -> None:
    loss = LOSSES[name]()
    assert loss.name == name
    y = targets(name, 3, 5, np.random.default_rng(2))
    assert np.allclose(y.sum(axis=0), 1) == loss.needs_classes
    if loss.takes_logits:  # the output activation plays no part
        np.testing.assert_array_equal(loss.delta(logits(), y, tanh()), loss.delta(logits(), y, identity()))


@pytest.mark.parametrize("n", [2, 5])
@every_loss
def test_the_form_of_the_error_that_a_loss_declares(name: str, n: int) -> None:
    """Where an output's z moves, its own error alone does, if `elementwise`; the errors are softmax(z) − y if `softmax`."""
    loss, z, y = LOSSES[name](), logits((1, n, 4)), targets(name, n, 4, np.random.default_rng(2))
    for phi in outputs(name):
        delta = loss.delta(z, y, phi)
        for k in range(n):
            moved = z.copy()
            moved[:, k] += 0.5
            changed = (loss.delta(moved, y, phi) != delta).any(axis=(0, 2))
            assert np.delete(changed, k).any() != loss.elementwise
        p = np.exp(z) / np.exp(z).sum(axis=-2, keepdims=True)
        assert np.allclose(delta, p - y, rtol=1e-12, atol=1e-15) == loss.softmax
    assert not (loss.elementwise and loss.softmax)


@every_loss
def test_the_best_constant_output_has_the_least_loss_of_all_constants(name: str) -> None:
    loss = LOSSES[name]()
    if loss.constant is None:
        pytest.skip("declares none")
    y = targets(name, 3, 40, np.random.default_rng(4))
    best = loss.constant(y)
    assert best.shape == (3, 1)

    def mean(z: Array) -> float:
        return float(loss.value(np.broadcast_to(z, y.shape), y, identity()).mean())

    least = mean(best)
    for direction in np.random.default_rng(5).standard_normal((30, 3, 1)):
        for step in (0.01, 0.3, 3.0):
            assert mean(best + step * direction) > least - 1e-14 * abs(least)
    away = np.random.default_rng(6).standard_normal((3, 1))
    if loss.softmax:
        away -= away.mean()  # the loss does not see what all logits have in common
    assert mean(best + 0.01 * away) > least


def test_a_class_that_never_occurs_has_a_finite_constant() -> None:
    for name in ("softmax_cross_entropy", "sigmoid_cross_entropy"):
        loss, y = LOSSES[name](), np.array([[1.0, 1.0], [0.0, 0.0]])
        assert loss.constant is not None
        assert loss.value(np.broadcast_to(loss.constant(y), y.shape), y, identity()).max() < 1e-300 + 1e-14


GAINS = {"mse": 2 / 3, "cosh": 1 / 3, "sigmoid_cross_entropy": 1 / 3, "softmax_cross_entropy": 1.0}
"""What the mean over 3 outputs is of the sum, as PyTorch and Keras have both."""


@every_loss
def test_the_mean_over_outputs_is_a_share_of_the_sum(name: str) -> None:
    summed, mean = LOSSES[name](), LOSSES[name](reduction="mean")
    z, y, gain = logits(), targets(name, 3, 5, np.random.default_rng(2)), row_for(GAINS, name, "gain", "tests/bpcore/test_losses.py, GAINS")
    for phi in outputs(name):
        np.testing.assert_allclose(mean.value(z, y, phi), gain * summed.value(z, y, phi), rtol=1e-15)
        np.testing.assert_allclose(mean.delta(z, y, phi), gain * summed.delta(z, y, phi), rtol=1e-15)
    assert mean.averages == (name != "softmax_cross_entropy")
    assert not summed.averages


@every_loss
def test_another_reduction_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="`reduction` must be sum_outputs or mean, got sum"):
        LOSSES[name](reduction="sum")
