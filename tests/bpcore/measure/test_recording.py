"""What a run leaves: which rows, which columns in them, and whether their numbers are what they are called."""

from itertools import pairwise

import numpy as np
import pytest

from bpcore.measure.columns import LAYERS, STEPS
from bpcore.measure.histograms import HISTOGRAM_BINS
from bpcore.measure.per_layer import GLANCED
from bpcore.measure.records import RunRecord
from tests.bpcore.cases import as_problem
from tests.bpcore.runs import run, snapshots, stack, train_one
from tests.bpcore.test_training import parameters
from tests.comparing import assert_gradients_match, scaled_norm
from tests.oracles import Array, complex_step_gradients, forward

COSTLY = ("z_mean", "z_var", "a_mean", "a_var", "saturated", "dead", "zero", "equal_units")


def column(record: RunRecord, name: str, layer: int) -> Array:
    """Return a layer's values over the recorded steps."""
    return record.layers[name][record.layers["layer"] == layer]


def test_rows_stand_at_every_step_from_the_start_to_the_end() -> None:
    record = train_one(stack(steps=4))
    assert record.steps["step"].tolist() == [0, 1, 2, 3, 4]
    assert record.layers["step"].tolist() == [step for step in range(5) for _ in range(4)]
    assert record.layers["layer"].tolist() == [0, 1, 2, 3] * 5
    assert set(record.layers) == {"step", "layer", *(column.name for column in LAYERS)}
    assert set(record.steps) == {"step", *(column.name for column in STEPS)}


@pytest.mark.parametrize(("every", "steps"), [(3, [0, 3, 6, 9, 10]), (5, [0, 5, 10]), (100, [0, 10])])
def test_every_thins_the_rows_but_keeps_the_last(every: int, steps: list[int]) -> None:
    thin, dense = train_one(stack(steps=10, every=every)), train_one(stack(steps=10))
    assert thin.steps["step"].tolist() == steps
    assert thin.steps["loss"].tolist() == dense.steps["loss"][steps].tolist()


def test_no_steps_measure_the_initial_state_only() -> None:
    record = train_one(stack(steps=0))
    assert record.steps["step"].tolist() == [0]
    assert np.isnan(record.layers["update_ratio"]).all()
    assert record.final_loss == record.steps["loss"][0]


def test_full_has_every_column_in_every_row_and_light_at_the_ends() -> None:
    full, light = train_one(stack(steps=9, full=True)), train_one(stack(steps=9))
    ends = np.isin(full.layers["step"], [0, 9])
    glanced = ends | np.isin(full.layers["step"], [1, 2, 4, 8])
    hidden = full.layers["layer"] > 0
    for name in COSTLY:
        assert np.isfinite(full.layers[name][hidden]).all(), name
        measured = glanced if name in GLANCED else ends
        assert np.isnan(light.layers[name][~measured]).all(), name
        assert np.array_equal(light.layers[name][measured], full.layers[name][measured], equal_nan=True), name
    for name in set(light.layers) - set(COSTLY):
        assert np.array_equal(light.layers[name], full.layers[name], equal_nan=True), name


def test_layer_zero_has_the_columns_of_delta_only() -> None:
    record = train_one(stack(steps=2, full=True))
    for name in set(record.layers) - {"step", "layer", "finite"}:
        assert np.isfinite(column(record, name, 0)).all() == (
            name in ("delta_norm", "delta_mean_norm", "delta_rms", "zero", "log10_delta_norm")
        ), name


def test_the_last_row_has_no_update() -> None:
    record = train_one(stack(steps=3))
    for layer in (1, 2, 3):
        ratios = column(record, "update_ratio", layer)
        assert np.isfinite(ratios[:-1]).all()
        assert np.isnan(ratios[-1])


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "nesterov"])
def test_update_ratio_is_measured_on_the_weights_themselves(optimizer: str) -> None:
    settings, one = stack(optimizer=optimizer, clip="per_layer", steps=3), run(0, weight_decay=0.1, clip_threshold=0.05)
    record = train_one(settings, one)
    states = snapshots(settings, one, range(4))
    for layer in (1, 2, 3):
        W = [state[f"W{layer}"] for state in states]
        ratios = [np.linalg.norm(after - before) / np.linalg.norm(before) for before, after in pairwise(W)]
        np.testing.assert_allclose(column(record, "update_ratio", layer)[:-1], ratios, rtol=1e-11)


@pytest.mark.parametrize("loss", ["softmax_cross_entropy", "sigmoid_cross_entropy", "mse"])
@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_a_snapshot_can_be_recomputed_from_its_own_arrays(normalization: str, loss: str) -> None:
    settings = stack("gelu", normalization, loss, batch_size=5, clip="norm", steps=3)
    (snapshot,) = snapshots(settings, run(4, weight_decay=0.2, clip_threshold=1e-3), range(2, 3))
    decay = np.full((1, 1, 1), 0.2)
    problem = as_problem(settings.network, parameters(snapshot), snapshot["x"][None], snapshot["y"][None], decay)
    again, expected = forward(problem), complex_step_gradients(problem)
    for l in (1, 2, 3):
        np.testing.assert_allclose(snapshot[f"z{l}"], again.z[l][0], rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(snapshot[f"a{l}"], again.a[l][0], rtol=1e-12, atol=1e-14)
    names = {key: f"delta{key[1]}" if key[0] == "delta" else f"d{key[0]}{key[1]}" for key in expected if key != ("delta", 0)}
    if normalization == "batch":
        names = {key: name for key, name in names.items() if not (key[0] == "b" and key[1] < 3)}  # zero by construction
    assert_gradients_match({key: snapshot[name][None] for key, name in names.items()}, {key: expected[key] for key in names})
    pieces = {"z", "a", "delta", "W", "b", "dW", "db"}
    expected_names = {"x", "y"} | {f"{piece}{l}" for piece in pieces for l in (1, 2, 3)}
    if normalization == "batch":
        expected_names |= {f"{piece}{l}" for piece in ("gamma", "beta", "dgamma", "dbeta") for l in (1, 2)}
    assert expected_names <= set(snapshot)


@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_the_columns_are_what_they_are_called(normalization: str) -> None:
    settings, one = stack("sigmoid", normalization, steps=2, full=True), run(0, scale=3.0, weight_decay=0.1)
    record = train_one(settings, one)
    (s,) = snapshots(settings, one, range(1, 2))
    problem = as_problem(settings.network, parameters(s), s["x"][None], s["y"][None], np.full((1, 1, 1), 0.1))
    gradients, again = complex_step_gradients(problem), forward(problem)
    for l in range(4):
        delta = gradients["delta", l][0]
        expected = {"delta_norm": np.sqrt((delta**2).sum(axis=0).mean())}
        expected["delta_rms"] = expected["delta_norm"] / np.sqrt(len(delta))
        if l == 3 or normalization == "none":
            expected["delta_mean_norm"] = np.linalg.norm(delta.mean(axis=1))
        if l > 0:
            expected |= {
                "weight_grad_norm": np.linalg.norm(gradients["W", l]),
                "weight_norm": np.linalg.norm(s[f"W{l}"]),
                "z_mean": again.z[l].mean(),
                "z_var": again.z[l].var(),
                "a_mean": again.a[l].mean(),
                "a_var": again.a[l].var(),
                "dead": 0.0,
                "zero": 0.0,
            }
            slope = again.a[l] * (1 - again.a[l]) / 0.25 if l < 3 else np.ones(1)
            expected["saturated"] = (slope < 0.05).mean()
        for name, value in expected.items():
            assert column(record, name, l)[1] == pytest.approx(value, rel=1e-9), (name, l)
    if normalization == "batch":
        assert np.isnan(column(record, "delta_mean_norm", 1)).all()
    else:
        assert column(record, "bias_grad_norm", 1)[1] == pytest.approx(column(record, "delta_mean_norm", 1)[1], rel=1e-13)
    total = np.sqrt(sum(scaled_norm(array) ** 2 for key, array in gradients.items() if key[0] != "delta"))
    assert record.steps["grad_norm"][1] == pytest.approx(total, rel=1e-10)
    assert record.steps["grad_norm_clipped"][1] == record.steps["grad_norm"][1]
    assert not record.steps["clipped"].any()
    assert record.steps["loss"][1] == pytest.approx(again.J[0], rel=1e-12)


def test_what_is_off_is_counted() -> None:
    settings, one = stack("relu", depth=3, width=12, steps=2, full=True), run(3, scale=0.7)
    record = train_one(settings, one)
    for step, s in enumerate(snapshots(settings, one, range(3))):
        for l in (1, 2, 3):
            off = s[f"a{l}"] <= 0
            assert 0 < off.mean() < 1
            assert column(record, "dead", l)[step] == off.all(axis=1).mean()
            assert column(record, "zero", l)[step] == (s[f"delta{l}"] == 0).mean() >= off.mean()
            assert column(record, "saturated", l)[step] == off.mean()
        assert column(record, "zero", 4)[step] == 0
    assert column(record, "dead", 3).max() > 0


@pytest.mark.parametrize("clip", ["none", "norm", "value", "per_layer"])
def test_what_clipping_did_is_told(clip: str) -> None:
    settings, one = stack(clip=clip, steps=3), run(2, clip_threshold=0.3 if clip != "none" else np.inf)
    record = train_one(settings, one)
    for step, s in enumerate(snapshots(settings, one, range(3))):
        gradients = [s[f"d{kind}{l}"] for kind in ("W", "b") for l in (1, 2, 3)]
        total = np.sqrt(sum(scaled_norm(array) ** 2 for array in gradients))
        assert record.steps["grad_norm"][step] == pytest.approx(total, rel=1e-12)
        assert record.steps["clipped"][step] == (record.steps["grad_norm_clipped"][step] < record.steps["grad_norm"][step])
        right = s["a3"].argmax(axis=0) == s["y"].argmax(axis=0)
        assert record.steps["accuracy"][step] == pytest.approx(right.mean(), rel=1e-15)
    if clip == "norm":
        assert record.steps["clipped"][:3].all()
        np.testing.assert_allclose(record.steps["grad_norm_clipped"][:3], 0.3, rtol=1e-12)


@pytest.mark.parametrize("name", ["relu", "sigmoid"])
def test_histograms_count_every_entry_once_in_its_bin(name: str) -> None:
    settings = stack(name, depth=3, steps=3)
    record, (first,) = train_one(settings), snapshots(settings, run(), range(1))
    h = record.histograms
    assert set(h["step"]) == {0, 3}
    assert (h["count"] > 0).all()
    for layer, n in {1: 5, 2: 5, 3: 5, 4: 3}.items():
        for quantity, source in (("z", "z"), ("a", "a"), ("log10_abs_delta", "delta")):
            for step in (0, 3):
                chosen = (h["step"] == step) & (h["layer"] == layer) & (h["quantity"] == quantity)
                assert h["count"][chosen].sum() == n * 12
            values = first[f"{source}{layer}"].ravel()
            with np.errstate(divide="ignore"):
                values = np.log10(np.abs(values)) if source == "delta" else values
            chosen = np.flatnonzero((h["step"] == 0) & (h["layer"] == layer) & (h["quantity"] == quantity))
            for row in chosen:
                inside = (values >= h["bin_low"][row] - 1e-9) & (values < h["bin_high"][row] + 1e-9)
                assert inside.sum() >= h["count"][row]
                width = HISTOGRAM_BINS[quantity][2]
                assert h["bin_high"][row] - h["bin_low"][row] == pytest.approx(width) or np.isinf(h["bin_low"][row] * h["bin_high"][row])


def test_histograms_of_a_diverged_run_count_what_is_not_a_number() -> None:
    record = train_one(stack("tanh", steps=1), run(0, "normal", scale=1e308))
    h = record.histograms
    chosen = (h["layer"] == 3) & (h["quantity"] == "z")
    assert h["count"][chosen].sum() == 3 * 12
