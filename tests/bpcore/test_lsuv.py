"""LSUV: what it makes of the variance of every layer, on which examples, and that nothing else decides it."""

import numpy as np
import pytest

from bpcore import mlp
from bpcore.engine.batches import Batches
from bpcore.initializers import orthogonal
from bpcore.lsuv import lsuv
from bpcore.training import RunSettings, train_stack
from tests.bpcore.cases import NORMALIZATIONS
from tests.bpcore.runs import differences, examples, snapshots, stack, train, train_one
from tests.oracles import Array


def one(seed: int = 0, **arguments: float) -> RunSettings:
    return RunSettings(seed, lsuv(**arguments), 0.1)  # type: ignore[arg-type]


def variances(snapshot: dict[str, Array]) -> list[float]:
    return [float(snapshot[f"z{l}"].var()) for l in range(1, 5)]


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("batch_size", [None, 8])
def test_every_layer_has_the_variance_on_the_first_batch(activation: str, normalization: str, batch_size: int | None) -> None:
    settings = stack(activation, normalization, depth=3, width=6, steps=0, batch_size=batch_size)
    for scale in (1.0, 0.5):
        first = snapshots(settings, one(scale=scale, tolerance=1e-12), range(1))[0]
        np.testing.assert_allclose(variances(first), scale**2, rtol=1e-12)


def test_biases_take_several_scalings() -> None:
    settings = stack("relu", depth=3, width=6, steps=0)
    loose, tight = (variances(snapshots(settings, one(bias_std=0.4, tolerance=t, iterations=50), range(1))[0]) for t in (0.1, 1e-9))
    np.testing.assert_allclose(loose, 1, rtol=0.1)
    np.testing.assert_allclose(tight, 1, rtol=1e-9)
    assert not np.allclose(loose, 1, rtol=1e-3)


def test_weights_stay_orthonormal_but_for_a_factor_a_layer() -> None:
    settings = stack("tanh", depth=3, width=6, steps=0)
    first, drawn = (snapshots(settings, RunSettings(3, init, 0.1), range(1))[0] for init in (lsuv(), orthogonal()))
    for l in range(1, 5):
        ratio = first[f"W{l}"] / drawn[f"W{l}"]
        np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-13)


def test_a_run_is_fitted_to_its_own_examples_alone_and_has_the_same_bits_in_a_stack() -> None:
    settings, data = stack(depth=3, batch_size=5, steps=2, full=True), examples()
    runs = [one(0), one(1), RunSettings(2, orthogonal(), 0.1), one(2, scale=2.0)]
    for each, record in zip(runs, train(settings, runs, data), strict=True):
        assert differences(train_one(settings, each, data), record) == []


def test_float32_starts_from_the_same_weights() -> None:
    wide, narrow = (snapshots(stack(depth=3, steps=0, dtype=dtype), one(), range(1))[0] for dtype in ("float64", "float32"))
    np.testing.assert_allclose(narrow["W2"], wide["W2"], rtol=1e-6)


def test_what_cannot_be_scaled_is_left_as_it_is() -> None:
    """Inputs of zeros, and inputs that overflow."""
    settings = stack("relu", depth=2, steps=0)
    for x in (np.zeros((4, 12)), np.full((4, 12), 1e300)):
        data = type(examples())(x, examples().y)
        record = train_stack(settings, [one()], data)
        assert record.present.any()
    batches = Batches(examples(), None, [0], "float64")
    drawn = mlp.initialize(settings.network, [lsuv()], [0], "float64")
    fitted = mlp.initialize(settings.network, [lsuv()], [0], "float64", 0 * batches(np.zeros(1, dtype=int)).x)
    for key, array in drawn.items():
        np.testing.assert_array_equal(array, fitted[key])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"tolerance": 0.0}, "`tolerance` must be a finite number > 0, got 0.0"),
        ({"iterations": 0}, "`iterations` must be an integer ≥ 1, got 0"),
        ({"scale": -1.0}, "`scale` must be a finite number ≥ 0, got -1.0"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        lsuv(**arguments)  # type: ignore[arg-type]
