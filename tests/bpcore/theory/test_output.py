"""The predicted error of the output layer, and nets of equal weights, against direct evaluation."""

import numpy as np
import pytest

from bpcore import mlp, theory
from bpcore.activations import Activation, identity, relu, sigmoid, tanh
from bpcore.initializers import constant
from bpcore.losses import Loss
from bpcore.network import Network
from tests.bpcore.cases import ACTIVATIONS, LOSSES, NORMALIZATIONS, delta_norm


def targets(name: str, outputs: int, m: int) -> np.ndarray:
    generator = np.random.default_rng(0)
    if LOSSES[name]().needs_classes or LOSSES[name]().takes_logits:
        return np.eye(outputs)[generator.integers(0, outputs, m)].T
    return generator.standard_normal((outputs, m))


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "cosh"])  # whose tails no sample has seen enough of
@pytest.mark.parametrize("q", [0.0, 0.3, 9.0])
@pytest.mark.parametrize("outputs", [2, 7])
@pytest.mark.parametrize("reduction", ["sum_outputs", "mean"])
def test_the_error_of_every_loss_against_sampling(name: str, q: float, outputs: int, reduction: str) -> None:
    loss = LOSSES[name](reduction=reduction)
    y = targets(name, outputs, 60_000)
    z = np.sqrt(q) * np.random.default_rng(1).standard_normal(y.shape)
    squares = (loss.delta(z, y, identity()) ** 2).sum(axis=0)
    predicted = float(theory.output_error(loss, identity(), np.array(q), y))
    # 4 σ of sampling; continuous targets are taken in 64 groups, which costs .1 % of their square
    slack = 2e-3 * float((y**2).sum(axis=0).mean()) if name not in ("softmax_cross_entropy", "sigmoid_cross_entropy") else 1e-12
    slack *= (2 / outputs) ** 2 if loss.averages else 1
    assert predicted == pytest.approx(squares.mean(), abs=4 * squares.std() / np.sqrt(len(squares)) + slack)


@pytest.mark.parametrize("q", [0.0, 0.3, 9.0])
def test_the_error_of_cosh_in_closed_form(q: float) -> None:
    y, loss = np.eye(2), LOSSES["cosh"]()
    exact = sum((np.exp(2 * q) * np.cosh(2 * target) - 1) / 2 for target in (0, 1))  # E sinh²(√q Z − y) = (e^(2q) cosh 2y − 1)/2
    assert float(theory.output_error(loss, identity(), np.array(q), y)) == pytest.approx(exact, rel=1e-6)  # at q = 9 the mass lies at Z = 6


@pytest.mark.parametrize("output", ACTIVATIONS)
def test_mse_behind_every_output_activation(output: str) -> None:
    phi, loss = ACTIVATIONS[output](), LOSSES["mse"]()
    y = np.eye(4)[np.arange(200_000) % 4].T
    z = 1.1 * np.random.default_rng(2).standard_normal(y.shape)
    squares = (loss.delta(z, y, phi) ** 2).sum(axis=0)
    predicted = float(theory.output_error(loss, phi, np.array(1.21), y))
    assert predicted == pytest.approx(squares.mean(), abs=4 * squares.std() / np.sqrt(len(squares)))


def test_softmax_between_its_ends() -> None:
    assert float(theory.softmax_error(np.array(0.0), 10)) == pytest.approx(0.9, rel=1e-12)
    values = theory.softmax_error(np.array([0.1, 1.0, 100.0, 143.0, 145.0, 1e4, 1e12]), 10)
    assert (np.diff(values) > 0).all()
    assert values[-1] == pytest.approx(1.8, rel=1e-5)
    # two classes: p₁ = σ(z₁−z₂), so that E‖p−y‖² = 2E[σ(√(2q) Z)²]
    for q in (0.2, 5.0, 60.0):
        exact = 2 * theory.second_moment(sigmoid(), 2 * q)
        assert float(theory.softmax_error(np.array(q), 2)) == pytest.approx(exact, rel=1e-8)


def test_a_loss_that_declares_neither_has_no_prediction() -> None:
    y, softmax = np.eye(3), LOSSES["softmax_cross_entropy"]()
    centered = Loss("centered", lambda z, y, phi: z.sum(axis=-2), lambda z, y, phi: z - z.mean(axis=0) - y, False, False)
    assert np.isnan(theory.output_error(centered, identity(), np.ones(2), y)).all()
    assert np.isfinite(theory.output_error(softmax, identity(), np.ones(2), y)).all()
    assert np.isnan(theory.output_error(softmax, identity(), np.ones(2), y * 0.5)).all()


def test_a_single_output_is_one_by_one_whatever_the_loss() -> None:
    y = np.ones((1, 3))
    assert float(theory.output_error(LOSSES["softmax_cross_entropy"](), identity(), np.array(2.0), y)) == 0  # softmax of one is 1


@pytest.mark.parametrize("phi", [tanh(), relu(), sigmoid()], ids=lambda phi: phi.name)
@pytest.mark.parametrize("loss", ["mse", "sigmoid_cross_entropy"])
def test_equal_weights_are_predicted_exactly(phi: Activation, loss: str) -> None:
    sizes = (4, 6, 3, 5, 2)
    network = Network(sizes, phi, identity(), LOSSES[loss](), NORMALIZATIONS["none"]())
    initializer = constant(0.23)
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((1, 4, 30)), np.eye(2)[generator.integers(0, 2, 30)].T[None]
    params = mlp.initialize(network, [initializer], [0], "float64")
    trace = mlp.forward(network, params, x)
    delta, _ = mlp.backward(network, params, trace, y, np.zeros((1, 1, 1)))
    delta[0] = mlp.input_gradient(params, delta)
    norms = np.array([delta_norm(delta[l])[0] for l in range(5)])
    sums = x[0].sum(axis=0)
    outputs = theory.symmetric_values(phi, sizes, 0.23, 0.0, sums)[-1]
    np.testing.assert_allclose(np.tile(outputs, (2, 1)), trace.z[4][0], rtol=1e-12)
    predicted = theory.symmetric_factors(phi, sizes, 0.23, 0.0, sums, delta[4][0])
    np.testing.assert_allclose(norms[:-1] / norms[1:], predicted, rtol=1e-11)


def test_equal_weights_under_softmax_send_nothing_back() -> None:
    y = np.eye(3)[:, [0, 1, 2, 2]]
    delta = np.full((3, 4), 1 / 3) - y
    factors = theory.symmetric_factors(tanh(), (5, 4, 4, 3), 0.3, 0.0, np.linspace(-1, 1, 4), delta)
    assert factors[2] == 0
    assert (factors[:2] > 0).all()
