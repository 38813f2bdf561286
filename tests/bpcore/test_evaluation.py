"""The accuracy of a stack in pieces: that of the textbook, whatever the number of runs and of examples."""

from dataclasses import replace

import numpy as np
import pytest

from bpcore import mlp
from bpcore.evaluation import PIECE, accuracy_of_stack
from bpcore.layers import Layers
from bpcore.normalization import RunningStatistics
from tests.bpcore.cases import ACTIVATIONS, NORMALIZATIONS
from tests.bpcore.runs import run, stack
from tests.oracles import Array


def problem(
    activation: str, normalization: str, dtype: str, runs: int, m: int
) -> tuple[mlp.Network, Layers, Array, Array, RunningStatistics]:
    network = stack(activation, normalization, depth=3, width=70).network
    params = mlp.initialize(network, [run().initializer] * runs, list(range(runs)), dtype)
    generator = np.random.default_rng(1)
    x, y = generator.standard_normal((4, m)), np.eye(3)[:, generator.integers(0, 3, m)]
    running = RunningStatistics(0.1)
    running.update(mlp.forward(network, params, x[None, :, :9].astype(dtype)).statistics)
    return network, params, x, y, running


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_it_is_the_accuracy_of_the_textbook(activation: str, normalization: str) -> None:
    network, params, x, y, running = problem(activation, normalization, "float64", 3, PIECE + 7)
    by_hand = mlp.accuracy(mlp.evaluate(network, params, x[None], running), y[None])
    measured = accuracy_of_stack(network, params, x, y, running, np.ones(3, dtype=bool))
    np.testing.assert_array_equal(measured, by_hand)
    assert np.unique(measured).size > 1


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_run_has_the_same_accuracy_alone_and_in_any_group(dtype: str) -> None:
    network, params, x, y, running = problem("tanh", "batch", dtype, 9, 2 * PIECE + 1)
    together = accuracy_of_stack(network, params, x, y, running, np.ones(9, dtype=bool))
    for one in range(9):
        own = slice(one, one + 1)
        alone = Layers(**{kind: {l: array[own] for l, array in getattr(params, kind).items()} for kind in ("W", "b", "gamma", "beta")})
        assert accuracy_of_stack(network, alone, x, y, running.of_runs(own), np.ones(1, dtype=bool))[0] == together[one]
    asked = np.arange(9) % 4 == 1
    some = accuracy_of_stack(network, params, x, y, running, asked)
    np.testing.assert_array_equal(some, np.where(asked, together, np.nan))


def test_what_is_not_finite_or_has_one_output_has_no_accuracy() -> None:
    network, params, x, y, running = problem("relu", "none", "float64", 2, 5)
    params.W[2][0, 0, 0] = np.inf
    with np.errstate(invalid="ignore"):
        measured = accuracy_of_stack(network, params, x, y, running, np.ones(2, dtype=bool))
    assert np.isnan(measured[0])
    assert np.isfinite(measured[1])
    single = replace(network, sizes=(*network.sizes[:-1], 1))
    assert np.isnan(accuracy_of_stack(single, params, x, y, running, np.ones(2, dtype=bool))).all()
