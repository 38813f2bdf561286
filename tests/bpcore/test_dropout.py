"""Dropout: its stream, the share that is kept, on what a mask depends, and that an evaluation knows nothing of it."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from bpcore import dropout, mlp
from bpcore.dropout import Dropout, Masks
from bpcore.engine.evaluation import evaluate_stack
from bpcore.layers import Layers
from bpcore.streams import key
from bpcore.training import StackSettings
from tests.bpcore.runs import differences, examples, run, snapshots, stack, train, train_one
from tests.oracles import Array

SIZES = (4, 5, 3, 2)
WORD = 2**64 - 1


def masks(
    rate: float = 0.5, seeds: tuple[int, ...] = (0,), step: int = 0, m: int = 3, sizes: tuple[int, ...] = SIZES
) -> Mapping[int, Array]:
    return Masks(Dropout(rate), sizes, list(seeds), m, "float64")(np.full(len(seeds), step))


def splitmix(state: int) -> tuple[int, int]:
    """Return SplitMix64's next state and number, as Steele, Lea & Flood 2014 (fig. 17) write it."""
    state = (state + 0x9E3779B97F4A7C15) & WORD
    z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
    return state, z ^ (z >> 31)


def test_the_generator_has_the_published_numbers() -> None:
    state, found = 1234567, []
    for _ in range(5):
        state, number = splitmix(state)
        found.append(number)
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    assert found == published  # Rosetta Code, "Pseudo-random numbers/Splitmix64", of the seed 1234567


def test_masks_are_its_numbers_in_the_order_that_is_stated() -> None:
    """Step 7, a layer of 5·3 = 15 entries behind none and one of 3·3 = 9 behind 15; a step has 24 numbers set apart."""
    rate, seed, step, m = 0.3, 42, 7, 3
    found = masks(rate, (seed,), step, m)
    for l, n, below in ((1, 5, 0), (2, 3, 15)):
        state = (key(seed, "dropout") + (step * 24 + below) * 0x9E3779B97F4A7C15) & WORD
        half = n * m // 2
        numbers = []
        for _ in range(half + 1):
            state, number = splitmix(state)
            numbers.append(number)
        bits = [number % 2**32 for number in numbers[:half]] + [number >> 32 for number in numbers[:half]] + [numbers[half] % 2**32]
        expected = [1 / 0.7 if b < 0.7 * 2**32 else 0.0 for b in bits]
        np.testing.assert_array_equal(found[l].ravel(), expected)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_share_that_is_kept_and_the_mean(rate: float) -> None:
    """Within four standard errors, over 200,000 entries; the mean of a mask is 1."""
    kept = np.concatenate([part.ravel() for part in masks(rate, (1, 2), 3, 100, (4, 500, 500, 2)).values()])
    p = 1 - rate
    assert set(np.unique(kept)) == {0.0, 1 / p}
    assert abs((kept > 0).mean() - p) <= 4 * np.sqrt(p * rate / kept.size)
    assert abs(kept.mean() - 1) <= 4 * np.sqrt(rate / p / kept.size)


def test_every_unit_example_layer_step_and_seed_has_a_mask_of_its_own() -> None:
    """Correlations of neighbors in every direction lie within four standard errors of 0."""
    n, m = 200, 200
    one = {place: masks(0.5, (seed,), step, m, (4, n, n, 2)) for place, seed, step in (("own", 0, 0), ("step", 0, 1), ("seed", 1, 0))}
    x = one["own"][1][0] - 1
    others = [x[1:] * x[:-1], x[:, 1:] * x[:, :-1], x * (one["own"][2][0] - 1), x * (one["step"][1][0] - 1), x * (one["seed"][1][0] - 1)]
    for products in [*others, x[: n // 2] * x[n // 2 :]]:  # the last: both halves of a number
        assert abs(products.mean()) <= 4 / np.sqrt(products.size)


def test_a_mask_depends_on_nothing_but_its_own_run() -> None:
    together = Masks(Dropout(0.4), SIZES, [5, 9, 5], 3, "float64")(np.array([2, 8, 3]))
    for place, (seed, step) in enumerate(((5, 2), (9, 8), (5, 3))):
        for l, mask in masks(0.4, (seed,), step).items():
            np.testing.assert_array_equal(together[l][place], mask[0])


def test_a_layers_masks_are_drawn_when_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, asked = [], masks(0.4)
    plain = Masks.of_layer
    monkeypatch.setattr(Masks, "of_layer", lambda self, l, steps: drawn.append(l) or plain(self, l, steps))
    assert (list(asked), 1 in asked, 3 in asked, len(asked)) == ([1, 2], True, False, 2)
    assert drawn == []
    assert asked[2] is asked[2]
    assert drawn == [2]
    with pytest.raises(KeyError):
        asked[3]


def test_without_a_rate_there_are_no_masks() -> None:
    assert masks(0.0) == {}
    assert not dropout.inverted().active


@pytest.mark.parametrize("rate", [-0.1, 1.0, np.nan, np.inf])
def test_a_rate_out_of_range(rate: float) -> None:
    with pytest.raises(ValueError, match=r"`rate` must lie in \[0, 1\)"):
        dropout.inverted(rate)


KINDS = {
    "plain": stack("relu", dropout=0.3),
    "batches": stack("tanh", "batch", dropout=0.3, batch_size=5, optimizer="adam", test=True),
    "after": stack(
        "gelu", "layer-after", dropout=0.5, batch_size=5, clip="norm", dtype="float32", probes=frozenset({"extended", "gradient_cosine"})
    ),
    "measured": stack("tanh", dropout=0.3, sharpness=True, probes=frozenset({"a_rank"}), full=True),
}
every_kind = pytest.mark.parametrize("name", KINDS)


@every_kind
def test_alone_and_stacked_and_looked_at_more_often_a_run_has_the_same_bits(name: str) -> None:
    settings, data, runs = KINDS[name], examples(test=True), [run(3), run(4, lr=0.2), run(3, "he")]
    together = train(settings, runs, data)
    assert [differences(train_one(settings, one, data), record) for one, record in zip(runs, together, strict=True)] == [[]] * 3
    looked = replace(settings, recording=replace(settings.recording, every=2, snapshot=4))
    assert train_one(looked, runs[0], data).final_loss == together[0].final_loss


@every_kind
def test_the_rows_are_of_the_net_that_is_left_and_the_end_of_the_whole(name: str) -> None:
    """The loss of a row has masks, the final one has none; what the snapshot holds says both."""
    settings, data = KINDS[name], examples(test=True)
    record = train_one(settings, run(3), data)
    end = snapshots(settings, run(3), range(settings.steps, settings.steps + 1), data)[0]
    network, masked = settings.network, {l: end[f"mask{l}"][None] for l in (1, 2)}
    assert any((mask == 0).any() for mask in masked.values())
    params, x, y = _params(end), end["x"][None], end["y"][None]
    rtol = 1e-12 if settings.dtype == "float64" else 1e-5
    left = mlp.data_term(network, mlp.forward(network, params, x, masks=masked), y)[0]
    np.testing.assert_allclose(record.steps["loss"][-1], left, rtol=rtol)
    if not network.normalization.needs_batch:
        whole = evaluate_stack(network, params, data.x, data.y, network.normalization.running(), np.ones(1, dtype=bool))
        np.testing.assert_allclose((record.final_loss, record.final_accuracy), [part[0] for part in whole], rtol=rtol)
        assert abs(record.final_loss / left - 1) > 1e-3


def _params(snapshot: dict[str, Array]) -> Layers:
    params = Layers()
    for name, array in snapshot.items():
        kind, l = name.rstrip("0123456789"), name[len(name.rstrip("0123456789")) :]
        if kind in ("W", "b", "gamma", "beta") and l:
            params[kind, int(l)] = array[None]
    return params


def test_a_rate_of_zero_moves_no_bit_of_a_run() -> None:
    """The other streams are those of before: weights, biases and batches."""
    settings = stack("tanh", batch_size=5)
    assert differences(train_one(settings), train_one(_with_rate(settings, 0.0))) == []
    first, dropped = (snapshots(one, run(), range(1))[0] for one in (settings, _with_rate(settings, 0.5)))
    for name in ("x", "y", "W1", "W2", "W3", "b1", "b2", "b3", "z1"):
        np.testing.assert_array_equal(first[name], dropped[name])
    assert (first["a1"] != dropped["a1"]).any()


def _with_rate(settings: StackSettings, rate: float) -> StackSettings:
    return replace(settings, network=replace(settings.network, dropout=Dropout(rate)))


def test_a_unit_that_is_dropped_on_every_example_is_not_dead() -> None:
    """With two examples and a rate of .9 nearly every unit of the mask is 0 on both; φ itself is 0 on neither."""
    record = train_one(stack("sigmoid", dropout=0.9, steps=2, full=True), data=examples(2))
    assert (record.layers["dead"][1:] == 0).sum() > 6
    assert np.nanmax(record.layers["dead"]) == 0


def test_the_sharpness_is_that_of_the_net_that_is_left() -> None:
    """A rate of .9 leaves another Hessian than the whole net's."""
    dropped, whole = (train_one(stack("tanh", dropout=rate, steps=1, sharpness=True)).steps["sharpness"][0] for rate in (0.9, 0.0))
    assert np.isfinite(dropped)
    assert abs(dropped / whole - 1) > 0.05
