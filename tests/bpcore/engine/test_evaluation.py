"""The loss and accuracy of a stack in pieces: those of the textbook, whatever the number of runs and of examples."""

from dataclasses import replace

import numpy as np
import pytest

from bpcore import mlp
from bpcore.engine.evaluation import PIECE, evaluate_stack, evaluate_whole, right
from bpcore.layers import Layers
from bpcore.network import Network
from bpcore.normalization import RunningStatistics
from tests.bpcore.cases import LOSSES, NORMALIZATIONS, THINNED, size_of
from tests.bpcore.runs import run, stack
from tests.oracles import Array


def problem(activation: str, normalization: str, dtype: str, runs: int, m: int) -> tuple[Network, Layers, Array, Array, RunningStatistics]:
    network = stack(activation, normalization, depth=3, width=70).network
    params = mlp.initialize(network, [run(scale=size_of(network)).initializer] * runs, list(range(runs)), dtype)
    for gamma in params.gamma.values():
        gamma *= size_of(network)
    generator = np.random.default_rng(1)
    x, y = generator.standard_normal((4, m)), np.eye(3)[:, generator.integers(0, 3, m)]
    running = RunningStatistics(0.1)
    if network.normalization.needs_batch:
        running.update(mlp.forward(network, params, x[None, :, :9].astype(dtype)).statistics)
    return network, params, x, y, running


@pytest.mark.parametrize(("activation", "normalization"), THINNED)
def test_it_is_what_the_textbook_says(activation: str, normalization: str) -> None:
    network, params, x, y, running = problem(activation, normalization, "float64", 3, PIECE + 7)
    output = mlp.forward(network, params, x[None], running).a[network.L]
    losses = network.loss.value(output, y[None], network.output_activation)
    loss, hits = evaluate_stack(network, params, x, y, running, np.ones(3, dtype=bool))
    np.testing.assert_allclose(loss, losses.mean(axis=-1), rtol=1e-12, atol=0)
    np.testing.assert_array_equal(hits, mlp.accuracy(output, y[None]))
    assert np.unique(hits).size > 1


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_all_examples_at_once_are_normalized_by_their_own_statistics(normalization: str) -> None:
    network, params, x, y, _ = problem("tanh", normalization, "float64", 3, 40)
    nothing, asked = np.zeros((3, 1, 1)), np.array([True, False, True])
    loss, hits = evaluate_whole(network, params, x[None], y[None], asked)
    trace = mlp.forward(network, params, x[None])
    np.testing.assert_allclose(loss[asked], mlp.objective(network, params, trace, y[None], nothing)[asked], rtol=1e-12)
    np.testing.assert_array_equal(hits[asked], mlp.accuracy(trace.a[network.L], y[None])[asked])
    assert np.isnan([loss[1], hits[1]]).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_is_averaged_over_all_pieces(loss: str) -> None:
    network, params, x, y, running = problem("tanh", "none", "float64", 2, 2 * PIECE + 1)
    network = replace(network, loss=LOSSES[loss]())
    trace = mlp.forward(network, params, x[None])
    expected = mlp.objective(network, params, trace, y[None], np.zeros((2, 1, 1)))
    measured, _ = evaluate_stack(network, params, x, y, running, np.ones(2, dtype=bool))
    np.testing.assert_allclose(measured, expected, rtol=1e-12, atol=0)
    first, _ = evaluate_stack(network, params, x[:, :PIECE], y[:, :PIECE], running, np.ones(2, dtype=bool))
    assert (np.abs(first / expected - 1) > 1e-6).all()  # one piece alone is told from all of them


@pytest.mark.parametrize("m", [1, 2 * PIECE + 1])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_run_has_the_same_numbers_alone_and_in_any_group(dtype: str, m: int) -> None:
    network, params, x, y, running = problem("tanh", "batch", dtype, 9, m)
    together = np.array(evaluate_stack(network, params, x, y, running, np.ones(9, dtype=bool)))
    for one in range(9):
        own = slice(one, one + 1)
        alone = Layers(**{kind: {l: array[own] for l, array in getattr(params, kind).items()} for kind in ("W", "b", "gamma", "beta")})
        numbers = np.array(evaluate_stack(network, alone, x, y, running.of_runs(own), np.ones(1, dtype=bool)))
        np.testing.assert_array_equal(numbers[:, 0], together[:, one])
    asked = np.arange(9) % 4 == 1
    some = np.array(evaluate_stack(network, params, x, y, running, asked))
    np.testing.assert_array_equal(some, np.where(asked, together, np.nan))


def test_what_is_not_finite_or_has_one_output_has_no_accuracy() -> None:
    network, params, x, y, running = problem("relu", "none", "float64", 2, 5)
    params.W[2][0, 0, 0] = np.inf
    with np.errstate(invalid="ignore"):
        loss, hits = evaluate_stack(network, params, x, y, running, np.ones(2, dtype=bool))
    assert np.isnan(hits[0])
    assert not np.isfinite(loss[0])
    assert np.isfinite([hits[1], loss[1]]).all()
    single = replace(network, sizes=(*network.sizes[:-1], 1))
    params.W[network.L], params.b[network.L] = params.W[network.L][:, :1], params.b[network.L][:, :1]
    with np.errstate(invalid="ignore"):
        assert np.isnan(evaluate_stack(single, params, x, y[:1], running, np.ones(2, dtype=bool))[1]).all()


@pytest.mark.parametrize(("loss", "there"), [("sigmoid_cross_entropy", True), ("softmax_cross_entropy", False), ("mse", False)])
def test_a_single_output_has_an_accuracy_where_it_is_a_logit(loss: str, there: bool) -> None:
    network, params, x, _, running = problem("tanh", "batch", "float64", 3, PIECE + 7)
    network = replace(network, sizes=(*network.sizes[:-1], 1), loss=LOSSES[loss]())
    params.W[network.L], params.b[network.L] = params.W[network.L][:, :1], params.b[network.L][:, :1]
    y = (x[:1] > 0).astype(np.float64)
    z = mlp.forward(network, params, x[None], running).a[network.L]
    _, hits = evaluate_stack(network, params, x, y, running, np.array([True, False, True]))
    expected = [float(((z[run, 0] > 0) == (y[0] == 1)).mean()) if there and run != 1 else np.nan for run in range(3)]
    np.testing.assert_array_equal(hits, expected)


@pytest.mark.parametrize("runs", [1, 5])
@pytest.mark.parametrize("levels", [2, 1000])
def test_the_first_of_the_largest_counts(runs: int, levels: int) -> None:
    generator = np.random.default_rng(levels)
    output = generator.integers(0, levels, (runs, 4, 60)) / 7
    for labels in (generator.integers(0, 4, (runs, 60)), generator.integers(0, 4, (1, 60))):
        hits = right(output, labels)
        np.testing.assert_array_equal(hits, output.argmax(axis=-2) == labels)
        assert 0 < hits.mean() < 1


def test_a_tie_counts_as_its_first_beside_a_run_that_is_no_number() -> None:
    """One example too many that is largest, in one run, and one too few, in another, are not nothing."""
    tied, lost = np.ones((1, 2, 2)), np.full((1, 2, 2), np.nan)
    labels = np.array([[0, 1]])
    alone = right(tied, labels)
    assert alone.tolist() == [[True, False]]
    np.testing.assert_array_equal(right(np.concatenate([tied, lost]), labels)[:1], alone)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("classes", [2, 3])
def test_no_run_hears_of_another_whatever_both_hold(dtype: str, classes: int) -> None:
    """Ties, what is not a number, what is infinite and what is ordinary: each alone is each beside every other."""
    generator = np.random.default_rng(0)
    ordinary = generator.standard_normal((classes, 6))
    some = np.where(np.arange(6) % 2, ordinary, np.nan)
    kinds = [ordinary, np.ones_like(ordinary), 0 * ordinary - 0.0, some, np.full_like(ordinary, np.nan), np.full_like(ordinary, np.inf)]
    kinds += [np.full_like(ordinary, -np.inf), np.where(np.arange(classes)[:, None] == 1, np.nan, ordinary), np.round(ordinary)]
    labels = generator.integers(0, classes, (1, 6))
    alone = [right(kind[None].astype(dtype), labels)[0] for kind in kinds]
    for one, kind in enumerate(kinds):
        for other, neighbor in enumerate(kinds):
            pair = right(np.stack([kind, neighbor]).astype(dtype), labels)
            np.testing.assert_array_equal(pair, [alone[one], alone[other]])
    np.testing.assert_array_equal(right(np.stack(kinds).astype(dtype), labels), alone)


def test_the_accuracy_of_a_tied_run_is_its_own_beside_a_run_that_overflows() -> None:
    network, params, x, y, running = problem("relu", "none", "float64", 2, 8)
    network = replace(network, sizes=(*network.sizes[:-1], 2))
    y = np.eye(2)[:, np.arange(8) % 2]
    top = network.L
    params.W[top], params.b[top] = params.W[top][:, :2].copy(), params.b[top][:, :2].copy()
    params.W[top][0], params.b[top][0] = 0, 0  # both outputs are equal
    params.W[2][1], params.W[3][1] = 1e200, -1e200  # inf − inf
    both = np.ones(2, dtype=bool)
    with np.errstate(all="ignore"):
        assert evaluate_stack(network, params, x, y, running, both)[1][0] == 0.5
        own = params.map(lambda key, array: array[:1])
        assert evaluate_stack(network, own, x, y, running, both[:1])[1][0] == 0.5
