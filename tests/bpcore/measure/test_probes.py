"""What a run records on request: every row has it, it is what the instruments say, and it changes nothing else."""

import numpy as np
import pytest

from bpcore import mlp
from bpcore.activations import identity
from bpcore.engine.batches import Examples
from bpcore.layers import Layers
from bpcore.measure.columns import MODES
from bpcore.measure.extended import log10_delta_norm
from bpcore.measure.instruments import effective_rank
from bpcore.measure.modes import modes
from bpcore.measure.recording import Recording
from bpcore.measure.shattering import gradient_cosine
from bpcore.network import Network
from bpcore.training import StackSettings
from tests.bpcore.cases import LOSSES, NORMALIZATIONS
from tests.bpcore.runs import OPTIMIZERS, differences, run, snapshots, stack, train, train_one
from tests.bpcore.test_training import parameters
from tests.oracles import Array

ALL = frozenset({"extended", "gradient_cosine", "a_rank"})


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_the_columns_are_what_the_instruments_say(normalization: str) -> None:
    settings = stack("sigmoid", normalization, depth=3, width=6, batch_size=5, steps=3, probes=ALL)
    record = train_one(settings)
    for step, s in enumerate(snapshots(settings, run(), range(4))):
        params = Layers()
        for key, array in parameters(s).items():
            params[key] = array
        x, y = s["x"][None], s["y"][None]
        trace = mlp.forward(settings.network, params, x)
        own = record.layers["step"] == step
        expected = {
            "gradient_cosine": gradient_cosine(settings.network, params, trace)[0],
            "a_rank": np.array([effective_rank(trace.a[l])[0] for l in range(5)]),
            "log10_delta_norm": log10_delta_norm(settings.network, params, trace, y, record.layers["delta_norm"][own][None])[0],
        }
        for name, values in expected.items():
            # the loop's products and the textbook's differ in their last bits
            np.testing.assert_allclose(record.layers[name][own], values, rtol=1e-10, atol=0, err_msg=name)


def test_without_probes_the_columns_stand_and_the_logarithm_is_that_of_the_norm() -> None:
    record = train_one(stack(steps=2))
    np.testing.assert_array_equal(record.layers["log10_delta_norm"], np.log10(record.layers["delta_norm"]))
    for name in ("gradient_cosine", "a_rank"):
        assert np.isnan(record.layers[name]).all()
    for column in MODES:
        assert np.isnan(record.steps[column.name]).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_probe_changes_no_other_number(dtype: str) -> None:
    plain, probed = (train_one(stack("relu", "batch", dtype=dtype, snapshot=2, probes=probes)) for probes in (frozenset[str](), ALL))
    assert set(differences(plain, probed)) == {"layers.gradient_cosine", "layers.a_rank"}


def test_a_run_has_the_same_probes_alone_and_in_a_stack() -> None:
    settings = stack("sigmoid", depth=130, width=3, steps=1, probes=ALL, dtype="float32")
    runs = [run(0), run(1, scale=1e30), run(2, scale=3.0)]
    data = Examples(np.random.default_rng(1).standard_normal((4, 5)), np.eye(3)[:, [0, 1, 2, 0, 1]])
    for together, one in zip(train(settings, runs, data), runs, strict=True):
        assert not differences(together, train(settings, [one], data)[0])


def test_extended_sees_what_underflowed_and_leaves_the_underflow_visible() -> None:
    record = train_one(stack("sigmoid", depth=100, steps=0, dtype="float32", probes=frozenset({"extended"})))
    layers = record.layers
    lost = layers["delta_norm"] == 0
    assert lost.sum() > 10
    assert (layers["zero"][lost] == 1).all()
    assert np.isfinite(layers["log10_delta_norm"]).all()
    assert (layers["log10_delta_norm"][lost] < -40).all()


def test_extended_sees_what_overflowed_in_a_diverged_run() -> None:
    settings = stack("tanh", depth=400, width=24, steps=3, dtype="float32", probes=frozenset({"extended"}))
    record = train_one(settings, run(0, scale=5.0))
    assert record.diverged_at_step == 0
    lost = ~record.layers["finite"]
    assert lost.any()
    assert np.isfinite(record.layers["log10_delta_norm"]).all()
    assert record.layers["log10_delta_norm"][0] > 38


def linear(steps: int, x: Array, y: Array, **recording: bool) -> tuple[StackSettings, Examples]:
    network = Network((len(x), 5, len(y)), identity(), identity(), LOSSES["mse"](), NORMALIZATIONS["none"]())
    optimizer, clip = OPTIMIZERS["sgd"](), stack().clip
    return StackSettings(network, optimizer, clip, None, steps, "float64", Recording(**recording)), Examples(x, y)  # type: ignore[arg-type]


def test_modes_are_recorded_at_every_row() -> None:
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((4, 9)), generator.standard_normal((3, 9))
    settings, data = linear(2, x, y, modes=True)
    record = train(settings, [run()], data)[0]
    for step, s in enumerate(snapshots(settings, run(), range(3), data)):
        params = Layers(W={l: s[f"W{l}"][None] for l in (1, 2)})
        measured = modes(params, x, y)
        np.testing.assert_allclose([record.steps[f"mode_{k}"][step] for k in (1, 2, 3)], measured["strength"][0], rtol=1e-12)
        assert np.isnan(record.steps["mode_4"][step])  # three outputs have three modes
        ends = [record.steps[name][step] for name in ("singular_value_max", "singular_value_min")]
        np.testing.assert_allclose(ends, measured["singular_value"][0][[0, -1]], rtol=1e-12)


@pytest.mark.parametrize("asked", ["extended", "gradient_cosine", "a_rank"])
def test_a_probe_makes_what_is_asked_for_and_nothing_else(asked: str) -> None:
    plain, probed = train_one(stack("sigmoid")), train_one(stack("sigmoid", probes=frozenset({asked})))
    expected = set() if asked == "extended" else {f"layers.{asked}"}  # a logarithm of what neither under- nor overflowed is the same
    assert set(differences(plain, probed)) == expected
