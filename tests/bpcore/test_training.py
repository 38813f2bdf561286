"""The step loop: the path of the parameters, stacks against single runs, divergence, minibatches."""

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest

from bpcore import mlp, training
from bpcore.engine.batches import Examples
from bpcore.layers import Layers
from bpcore.measure.sharpness import sharpness
from tests.bpcore.cases import ACTIVATIONS, LOSSES, as_problem
from tests.bpcore.runs import CLIPS, OPTIMIZERS, differences, examples, run, snapshots, stack, train, train_one
from tests.oracles import Array, complex_step_gradients, forward


def parameters(snapshot: dict[str, Array]) -> Layers:
    """Return a snapshot's parameters as a stack of one."""
    layers = Layers()
    for kind in ("W", "b", "gamma", "beta"):
        for l in range(1, 100):
            if f"{kind}{l}" in snapshot:
                layers[kind, l] = snapshot[f"{kind}{l}"][None]
    return layers


@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_three_steps_of_gradient_descent_worked_out_by_the_oracle(normalization: str) -> None:
    settings, one = stack(normalization=normalization, steps=3), run(lr=0.2, bias_lr_factor=0.5, weight_decay=0.03)
    start, *_, end = snapshots(settings, one, range(4))
    theta, decay = parameters(start), np.full((1, 1, 1), 0.03)
    data = examples()
    for _ in range(3):
        problem = as_problem(settings.network, theta, data.x[None], data.y[None], decay)
        gradients = complex_step_gradients(problem)
        theta = theta.map(lambda key, array, g=gradients: array - (0.1 if key[0] in ("b", "beta") else 0.2) * g[key])
    for key, array in parameters(end).items():
        np.testing.assert_allclose(array, theta[key], rtol=1e-9, atol=1e-13)


def test_adams_first_step_has_the_size_of_the_learning_rate() -> None:
    """Only with t = 1 does its correction undo the empty start exactly."""
    start, end = snapshots(stack(optimizer="adam", steps=1), run(0, lr=0.01), range(2))
    moved = (end["W2"] - start["W2"])[np.abs(start["dW2"]) > 1e-3]
    assert moved.size > 10
    np.testing.assert_allclose(np.abs(moved), 0.01, rtol=1e-4)


STACKS = {
    **{f"activation {name}": stack(activation=name, full=True, snapshot=3) for name in ACTIVATIONS},
    **{f"optimizer {name}": stack(optimizer=name, normalization="batch", full=True) for name in OPTIMIZERS},
    **{f"clip {name}": stack(clip=name, full=True) for name in CLIPS},
    "float32": stack(dtype="float32", activation="elu", normalization="batch", full=True, snapshot=2),
    "float32 minibatches": stack(dtype="float32", batch_size=5, optimizer="adam"),
    "minibatches": stack(batch_size=5, normalization="batch", clip="norm", snapshot=4),
    "one example a batch": stack(batch_size=1, activation="relu"),
    "wide": stack(width=33, depth=3, steps=3, full=True),
    "wide float32": stack(width=33, depth=3, steps=3, dtype="float32", full=True),
    "one unit": stack(width=1, depth=2),
    "no hidden layer": stack(depth=0, full=True),
    "mse": stack(loss="mse", activation="softplus", full=True),
    "sharpness": stack(steps=2, sharpness=True),
}
MIXED = [
    run(0, clip_threshold=0.5),
    run(1, "he", scale=1.3, lr=0.3, weight_decay=0.1, clip_threshold=0.01),
    run(2, "orthogonal", lr=0.01, bias_lr_factor=0.0),
    run(0, "xavier", clip_threshold=1e-3),
    run(5, "glorot_standard", lr=1.0, weight_decay=0.5, bias_lr_factor=2.0),
]


@pytest.mark.parametrize("name", STACKS)
def test_a_run_has_the_same_bits_alone_and_in_a_stack(name: str) -> None:
    data = examples(test=True)
    together = train(STACKS[name], MIXED, data)
    for one, record in zip(MIXED, together, strict=True):
        assert differences(train_one(STACKS[name], one, data), record) == []
    backward = train(STACKS[name], MIXED[::-1], data)
    assert [differences(*pair) for pair in zip(backward[::-1], together, strict=True)] == [[]] * len(MIXED)


EXPLODING = run(3, "normal", scale=1e200, lr=1.0)
EXPLODING_LATER = run(3, lr=1e300)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_a_diverging_neighbor_changes_no_bit(optimizer: str, normalization: str) -> None:
    settings = stack("relu", normalization, depth=4, optimizer=optimizer, full=True, snapshot=4)
    runs = [run(0), EXPLODING, run(1), EXPLODING_LATER]
    records = train(settings, runs, examples())
    assert records[1].diverged_at_step == 0
    assert records[3].diverged_at_step not in (0, None)
    for index in range(4):
        assert index in (1, 3) or records[index].diverged_at_step is None
        assert differences(train_one(settings, runs[index]), records[index]) == []


def test_the_comparison_of_records_can_fail() -> None:
    one, other = train_one(stack(), run(0)), train_one(stack(), run(0, lr=0.1 + 1e-12))
    assert "steps.loss" in differences(one, other)
    assert "layers.delta_norm" in differences(one, other)


@pytest.mark.parametrize(("activation", "depth", "scale"), [("relu", 30, 3.0), ("leaky_relu", 5, 1.5)])
def test_an_exploding_run_is_recorded_to_its_end_without_warnings(activation: str, depth: int, scale: float) -> None:
    """Overflow would raise here, since warnings are errors."""
    record = train_one(stack(activation, loss="mse", depth=depth, steps=20), run(0, "he", scale=scale, lr=1.0))
    step = record.diverged_at_step
    assert step is not None
    assert 0 < step < 20
    assert record.steps["step"].tolist() == list(range(step + 1))
    assert np.isfinite(record.steps["loss"][:-1]).all()
    assert np.isfinite(record.steps["grad_norm"][:-1]).all()
    assert not (np.isfinite(record.steps["loss"][-1]) and np.isfinite(record.steps["grad_norm"][-1]))
    last = record.layers["step"] == step
    assert not record.layers["finite"][last].all()
    assert record.layers["finite"][~last].all()
    assert np.isfinite(record.layers["delta_norm"][~last]).all()
    assert np.isnan(record.final_accuracy)
    assert np.isnan(record.test_accuracy)
    assert record.histograms["step"].max() == step


def test_a_run_that_diverges_between_rows_still_gets_its_last_row() -> None:
    settings, one = stack("leaky_relu", loss="mse", depth=5, steps=20), run(0, "he", scale=1.5, lr=1.0)
    every_step = train_one(settings, one)
    sparse = train_one(replace(settings, recording=replace(settings.recording, every=19)), one)
    assert every_step.diverged_at_step is not None
    assert sparse.diverged_at_step == every_step.diverged_at_step
    assert sparse.steps["step"].tolist() == [0, every_step.diverged_at_step]


def test_the_stack_stops_when_all_have_diverged() -> None:
    seen: list[int] = []
    records = train(stack("relu", depth=30, steps=1000), [EXPLODING, EXPLODING], examples(), lambda step, loss: seen.append(step))
    assert all(record.diverged_at_step == 0 for record in records)
    assert seen == [0]


def test_progress_is_reported_piece_by_piece_with_the_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first step, the last of every piece, and the last of all."""
    seen: list[tuple[int, list[float]]] = []
    monkeypatch.setattr(training, "PIECE_SECONDS", 0.0)
    records = train(stack(steps=3), [run(0), run(1)], examples(), lambda step, loss: seen.append((step, loss.tolist())))
    assert [step for step, _ in seen] == [0, 0, 1, 2, 3]
    for step, losses in seen:
        assert losses == [record.steps["loss"][step] for record in records]


def columns_used(snapshot: dict[str, Array], data: Examples) -> list[int]:
    return [int(np.flatnonzero(np.equal(data.x.T, column).all(axis=1))[0]) for column in snapshot["x"].T]


def test_an_epoch_shows_every_example_once_and_drops_the_ragged_rest() -> None:
    data, settings = examples(13), stack(batch_size=4, steps=7)  # 3 batches of 4 an epoch, 1 example left
    dealt = [columns_used(snapshot, data) for snapshot in snapshots(settings, run(0), range(7), data)]
    assert all(len(batch) == 4 for batch in dealt)
    first, second = list(chain(*dealt[:3])), list(chain(*dealt[3:6]))
    assert len(set(first)) == len(set(second)) == 12
    assert first != second
    assert dealt == [columns_used(snapshot, data) for snapshot in snapshots(settings, run(0), range(7), data)]
    other = [columns_used(snapshot, data) for snapshot in snapshots(settings, run(1), range(3), data)]
    assert other != dealt[:3]


@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_a_snapshot_does_not_depend_on_how_long_the_run_goes_on(normalization: str) -> None:
    settings, data = stack("relu", normalization, batch_size=4, optimizer="adam", steps=7), examples(13)
    for step, short in enumerate(snapshots(settings, run(0), range(7), data)):
        record = train_one(replace(settings, recording=replace(settings.recording, snapshot=step)), run(0), data)
        assert record.snapshot is not None
        assert record.snapshot.keys() == short.keys()
        assert all(np.array_equal(record.snapshot[name], short[name]) for name in short)


def test_targets_go_with_their_examples() -> None:
    data = examples(13)
    (snapshot,) = snapshots(stack(batch_size=4, steps=1), run(0), range(1, 2), data)
    assert np.array_equal(snapshot["y"], data.y[:, columns_used(snapshot, data)])


def test_batches_do_not_depend_on_anything_but_the_seed() -> None:
    data = examples(13)
    (one,) = snapshots(stack(batch_size=4), run(0), range(1), data)
    (other,) = snapshots(stack("relu", batch_size=4, optimizer="adam", depth=5), run(0, "he", lr=3e-4), range(1), data)
    assert np.array_equal(one["x"], other["x"])


def test_full_batch_takes_the_examples_in_their_order() -> None:
    data = examples(13)
    (snapshot,) = snapshots(stack(), run(0), range(1), data)
    assert np.array_equal(snapshot["x"], data.x)


def test_training_reduces_the_loss_and_learns_the_examples() -> None:
    record = train_one(stack(width=20, steps=400, every=400), run(0, lr=0.5))
    assert record.steps["loss"][-1] < 0.1 * record.steps["loss"][0]
    assert record.final_accuracy == 1


def test_final_numbers_are_those_of_the_last_state_on_all_examples() -> None:
    data = examples(13, test=True)
    settings, one = stack(batch_size=4, steps=5), run(0, weight_decay=0.1)
    record = train_one(settings, one, data)
    (last,) = snapshots(settings, one, range(5, 6), data)
    problem = as_problem(settings.network, parameters(last), data.x[None], data.y[None], np.full((1, 1, 1), 0.1))
    on_all = forward(problem)
    assert record.final_loss == pytest.approx(on_all.J[0], rel=1e-12)
    hits = on_all.a[3][0].argmax(axis=0) == data.y.argmax(axis=0)
    assert record.final_accuracy == pytest.approx(hits.mean(), rel=1e-15)
    on_test = forward(replace(problem, x=data.test_x[None], y=data.test_y[None]))
    assert record.test_accuracy == pytest.approx((on_test.a[3][0].argmax(axis=0) == data.test_y.argmax(axis=0)).mean())
    assert np.isnan(train_one(settings, one, examples(13)).test_accuracy)


def test_normalized_runs_are_tested_with_the_statistics_of_all_their_batches() -> None:
    generator = np.random.default_rng(0)
    data = replace(examples(12), test_x=generator.standard_normal((4, 600)), test_y=np.eye(3)[:, generator.integers(0, 3, 600)])
    settings, one, steps = stack("relu", "batch", batch_size=4, steps=8), run(0, lr=0.8), range(9)
    record, states = train_one(settings, one, data), snapshots(settings, one, steps, data)
    weights = 0.9 ** (8 - np.arange(9))
    weights /= weights.sum()
    a, last = data.test_x, states[-1]
    for l in (1, 2, 3):
        z = last[f"W{l}"] @ a + last[f"b{l}"]
        if l < 3:
            mean = sum(w * s[f"z{l}"].mean(axis=1, keepdims=True) for w, s in zip(weights, states, strict=True))
            variance = sum(w * s[f"z{l}"].var(axis=1, keepdims=True) for w, s in zip(weights, states, strict=True))
            a = np.maximum(last[f"gamma{l}"] * (z - mean) / np.sqrt(variance + 1e-5) + last[f"beta{l}"], 0)
    assert record.test_accuracy == pytest.approx((z.argmax(axis=0) == data.test_y.argmax(axis=0)).mean(), abs=1e-12)


@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_float32_follows_float64_to_its_precision(normalization: str) -> None:
    wide, narrow = (train_one(stack(normalization=normalization, dtype=dtype, steps=5)) for dtype in ("float64", "float32"))
    np.testing.assert_allclose(narrow.steps["loss"], wide.steps["loss"], rtol=1e-5)
    np.testing.assert_allclose(narrow.layers["delta_norm"], wide.layers["delta_norm"], rtol=1e-3)
    assert not np.array_equal(narrow.steps["loss"], wide.steps["loss"])
    assert narrow.layers["delta_norm"].dtype == np.float64


def test_clipping_acts_in_the_update_and_is_reported() -> None:
    record = train_one(stack(clip="norm", steps=3), run(0, clip_threshold=0.01))
    assert record.steps["clipped"].all()
    np.testing.assert_allclose(record.steps["grad_norm_clipped"], 0.01, rtol=1e-13)
    assert (record.steps["grad_norm"] > 0.01).all()
    start, end = snapshots(stack(clip="norm", steps=1), run(0, lr=0.5, clip_threshold=0.01), range(2))
    moved = np.sqrt(sum(((end[key] - start[key]) ** 2).sum() for key in ("W1", "W2", "W3", "b1", "b2", "b3")))
    assert moved == pytest.approx(0.5 * 0.01, rel=1e-9)


def test_the_global_generator_is_not_touched() -> None:
    def state() -> tuple:
        return tuple(np.asarray(part).tobytes() for part in np.random.get_state())  # noqa: NPY002  # the one under watch

    before = state()
    train(stack(batch_size=4, normalization="batch", sharpness=True, steps=2), [run(0, "orthogonal"), run(1)], examples())
    assert state() == before


def test_delta_at_the_first_of_a_hundred_sigmoid_layers_is_measured() -> None:
    record = train_one(stack("sigmoid", depth=100, width=20, steps=0), run(0))
    norms = record.layers["delta_norm"]
    assert (norms > 0).all()
    assert np.isfinite(norms).all()
    assert 1e-75 < norms[1] < 1e-45  # each layer takes a factor of about ¼
    assert (np.diff(np.log(norms[1:-1])) > 0).mean() > 0.95


def test_sharpness_is_that_of_the_state_it_stands_beside() -> None:
    settings, one = stack(width=3, depth=1, steps=2, sharpness=True), run(0, weight_decay=0.2)
    record = train_one(settings, one)
    for step, snapshot in enumerate(snapshots(settings, one, range(3))):
        decay = np.full((1, 1, 1), 0.2)
        expected = sharpness(settings.network, parameters(snapshot), snapshot["x"][None], snapshot["y"][None], decay)
        assert record.steps["sharpness"][step] == pytest.approx(expected, rel=1e-6)
    assert np.isnan(train_one(stack(steps=2)).steps["sharpness"]).all()


@pytest.mark.parametrize("normalization", ["none", "batch"])
@pytest.mark.parametrize("batch_size", [None, 4])
def test_a_single_logit_has_an_accuracy_everywhere(normalization: str, batch_size: int | None) -> None:
    generator = np.random.default_rng(3)
    x, test_x = generator.standard_normal((4, 40)), generator.standard_normal((4, 30))
    data = Examples(x, (x[:1] > 0) * 1.0, test_x, (test_x[:1] > 0) * 1.0)
    settings = stack("relu", normalization, "sigmoid_cross_entropy", width=12, batch_size=batch_size, steps=60)
    settings = replace(settings, network=replace(settings.network, sizes=(4, 12, 12, 1)))
    record, states = train_one(settings, run(0, lr=0.3), data), snapshots(settings, run(0, lr=0.3), range(61), data)
    hits = [((state["z3"] > 0) == (state["y"] == 1)).mean() for state in states]
    np.testing.assert_array_equal(record.steps["accuracy"], hits)
    assert len(set(hits)) > 2
    on_all = mlp.forward(settings.network, parameters(states[-1]), x[None]).z[3][0]
    assert record.final_accuracy == ((on_all > 0) == (data.y == 1)).mean() > 0.9
    assert record.test_accuracy > 0.7  # chance: a half
    mse = replace(settings, network=replace(settings.network, loss=LOSSES["mse"]()), steps=2)
    assert np.isnan([train_one(mse, run(0), data).final_accuracy, *train_one(mse, run(0), data).steps["accuracy"]]).all()
