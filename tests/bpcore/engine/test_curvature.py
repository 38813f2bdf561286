"""The sharpness by differences of compiled gradients is that of exact products with the Hessian, whatever a run is computed beside."""

from dataclasses import replace

import numpy as np
import pytest

from bpcore import activations, initializers, losses, normalization
from bpcore.clipping import none
from bpcore.dropout import Dropout
from bpcore.engine import stepper
from bpcore.engine.batches import Examples
from bpcore.engine.curvature import sharpness_of_stack
from bpcore.engine.evaluation import of_runs
from bpcore.engine.kinds import kernels_of
from bpcore.measure.sharpness import sharpness
from bpcore.mlp import initialize
from bpcore.network import Network
from bpcore.optimizers import sgd

ERROR = 1e-5
"""Of the difference: √ε = 1.5e-8 of ‖∇J‖/(λ‖θ‖) and of the change of H over ‖θ‖, which are below some hundreds in these nets."""

BELOW = 0.05
"""How far below λ_max six products may end in these nets. Of 96 others two, whose two largest eigenvalues are close, were .14 below."""

M, RUNS = 12, 4
NETS = {
    "tanh": (activations.tanh(), losses.softmax_cross_entropy(), "fan_in", 3),
    "relu": (activations.relu(), losses.mse(), "he", 3),
    "sigmoid": (activations.sigmoid(), losses.softmax_cross_entropy(), "normal", 2),
    "deep": (activations.tanh(), losses.mse(), "xavier", 12),
    "linear": (activations.identity(), losses.mse(), "xavier", 0),
}


def problem(name, norm=None):
    phi, loss, init, depth = NETS[name]
    network = Network((6, *[8] * depth, 3), phi, activations.identity(), loss, norm or normalization.none())
    g = np.random.default_rng(5)
    examples = Examples(g.standard_normal((6, 30)), np.eye(3)[:, g.integers(3, size=30)])
    params = initialize(network, [getattr(initializers, init)()] * RUNS, list(range(RUNS)), "float64")
    chosen = np.stack([np.random.default_rng(k).permutation(30)[:M] for k in range(RUNS)])
    return network, params, examples, chosen, np.array([0.0, 0.1, 0.0, 1.0])


def exact(network, params, examples, chosen, decay):
    batches = [(examples.x[None][:, :, own], examples.y[None][:, :, own]) for own in chosen]
    return np.array([
        sharpness(network, of_runs(params, slice(run, run + 1)), x, y, np.full((1, 1, 1), decay[run]), 1e-9)
        for run, (x, y) in enumerate(batches)
    ])  # fmt: skip


@pytest.mark.parametrize("name", NETS)
def test_it_is_that_of_exact_products_up_to_the_error_of_the_difference(name):
    """As many products as it takes, so that what is left is the difference alone."""
    asked = problem(name)
    np.testing.assert_allclose(sharpness_of_stack(*asked, products=60), exact(*asked), rtol=ERROR)


@pytest.mark.parametrize("name", NETS)
def test_a_few_products_tell_it_from_below(name):
    asked = problem(name)
    ratio = sharpness_of_stack(*asked) / exact(*asked)
    assert (ratio < 1 + ERROR).all()
    assert (ratio > 1 - BELOW).all()


def test_under_batch_normalization_too():
    asked = problem("tanh", normalization.batch())
    np.testing.assert_allclose(sharpness_of_stack(*asked, products=60), exact(*asked), rtol=ERROR)


@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_where_units_are_dropped_it_is_that_of_the_whole_net(name):
    network, *rest = problem(name)
    dropped = replace(network, dropout=Dropout(0.5))
    np.testing.assert_array_equal(sharpness_of_stack(dropped, *rest), sharpness_of_stack(network, *rest))


@pytest.mark.parametrize("name", ["relu", "deep"])
def test_what_has_no_kernel_has_the_same(name, monkeypatch):
    asked = problem(name)
    compiled = sharpness_of_stack(*asked)
    assert kernels_of(asked[0], sgd(), none(), "float64") is not None
    monkeypatch.setattr(stepper, "kernels_of", lambda *_: None)
    np.testing.assert_allclose(sharpness_of_stack(*asked), compiled, rtol=ERROR)


def test_it_is_the_same_to_the_bit_alone_and_stacked():
    network, params, examples, chosen, decay = problem("tanh")
    together = sharpness_of_stack(network, params, examples, chosen, decay)
    assert np.unique(together).size == RUNS
    for run in range(RUNS):
        own = slice(run, run + 1)
        alone = sharpness_of_stack(network, of_runs(params, own), examples, chosen[own], decay[own])
        np.testing.assert_array_equal(alone, together[own])


def test_one_direction_is_enough_for_a_line():
    """J = ½(wx + b − y)²: the Hessian in (w, b) has the eigenvalues x² + 1 and 0."""
    network = Network((1, 1), activations.identity(), activations.identity(), losses.mse(), normalization.none())
    params = initialize(network, [initializers.fan_in()], [0], "float64")
    found = sharpness_of_stack(network, params, Examples(np.array([[10.0]]), np.array([[1.0]])), np.array([[0]]), np.zeros(1))
    np.testing.assert_allclose(found, 101, rtol=1e-6)


def test_what_is_not_finite_has_none_and_disturbs_no_neighbor():
    network, params, examples, chosen, decay = problem("relu")
    before = sharpness_of_stack(network, params, examples, chosen, decay)
    params.W[1][1] = np.inf
    params.W[2][2] = 1e200
    after = sharpness_of_stack(network, params, examples, chosen, decay)
    assert np.isnan(after).tolist() == [False, True, True, False]
    np.testing.assert_array_equal(after[[0, 3]], before[[0, 3]])


def test_where_nothing_passes_it_is_zero():
    network, params, examples, chosen, _ = problem("relu")
    dead = params.map(lambda key, array: np.zeros_like(array) if key[0] == "W" else array - 1.0 * (key != ("b", network.L)))
    found = sharpness_of_stack(network, dead, examples, chosen, np.zeros(RUNS))
    np.testing.assert_allclose(found, 1.0, rtol=ERROR)  # of the output's biases alone, J = ½(b − y)²


def test_at_a_minimum_where_there_is_no_gradient_noise_alone_begins():
    network = Network((1, 1), activations.identity(), activations.identity(), losses.mse(), normalization.none())
    params = initialize(network, [initializers.constant(scale=0.1)], [0], "float64")
    found = sharpness_of_stack(network, params, Examples(np.array([[10.0]]), np.array([[1.0]])), np.array([[0]]), np.zeros(1))
    np.testing.assert_allclose(found, 101, rtol=1e-6)
