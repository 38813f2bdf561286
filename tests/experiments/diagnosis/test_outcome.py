"""What became of a run: the rule on numbers, and what people brought."""

import math

import numpy as np
import pytest

from experiments.diagnosis.outcome import chance, judge_outcome, without_decay
from tests.experiments.helpers import sweep

LN10 = math.log(10)

ROWS = {
    "learns": ("learns", None, 100, 2.4, 1.0, LN10),
    "barely better than a constant": ("stuck", None, 100, 2.4, 2.29, LN10),
    "above chance": ("learns", None, 100, 2.4, 2.25, LN10),
    "the best constant itself": ("stuck", None, 100, 3.0, LN10, LN10),
    "fallen far, and still worse than a constant": ("stuck", None, 100, 1e6, 3.0, LN10),
    "grown, and below ten times its start": ("stuck", None, 100, 2.4, 20.0, LN10),
    "grown far": ("diverging", None, 100, 2.4, 30.0, LN10),
    "grown far, but from nothing to a fair fit": ("learns", None, 100, 1e-3, 0.1, LN10),
    "not finite": ("diverged", 3, 100, 2.4, math.nan, LN10),
    "not finite at the start": ("diverged", 0, 0, math.nan, math.nan, LN10),
    "no update": ("untrained", None, 0, 2.4, 2.4, LN10),
    "no baseline, halved": ("learns", None, 10, 1.0, 0.4, 0.0),
    "no baseline, not halved": ("stuck", None, 10, 1.0, 0.6, 0.0),
    "no baseline, grown far": ("diverging", None, 10, 1.0, 11.0, 0.0),
    "a baseline that nobody declared": ("learns", None, 10, 1.0, 0.4, math.nan),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_the_rule(row):
    name, diverged, steps, start, end, baseline = row
    found = judge_outcome(diverged, steps, start, end, baseline, outputs=10, examples=1000)
    assert found.name == name
    assert math.isnan(found.skill) == (not baseline > 0 or diverged is not None)
    if not math.isnan(found.skill):
        assert found.skill == 1 - end / baseline


@pytest.mark.parametrize(
    ("initial", "name"), [(math.nan, "learns"), (2.4, "learns"), (2.26, "stuck"), (2.25, "stuck"), (2.0, "stuck"), (2.28, "learns")]
)
def test_a_net_that_is_no_better_than_at_its_own_start_has_not_learned(initial, name):
    found = judge_outcome(None, 100, 2.4, 2.25, LN10, outputs=10, examples=1000, initial=initial)
    assert found.name == name
    assert found.skill == 1 - 2.25 / LN10
    assert ("own start" in found.reason) == (name == "stuck")
    assert ("worse" in found.reason) == (initial == 2.0)


STILL = ["lr=1e-8", "batch_size=50", "steps=20", "record.every=10"]


@pytest.mark.parametrize("activation", ["tanh", "relu", "elu", "gelu"])
def test_a_net_that_does_not_move_is_stuck_whatever_skill_its_random_weights_have(tmp_path, activation):
    init = "xavier" if activation == "tanh" else "he"
    runs = sweep(tmp_path, *STILL, f"activation={activation}", f"init={init}", "depth=2", "seed=range(5)", "width=24", tiny=False).runs
    line = ["data=line", "loss=mse", "depth=1", "width=8"]
    line_runs = sweep(tmp_path, *STILL, f"activation={activation}", f"init={init}", *line, "seed=range(40)", name="line", tiny=False).runs
    assert set(runs["outcome"]) == {"stuck"}
    assert set(line_runs["outcome"]) == {"stuck"}
    assert (line_runs["skill"] > 0.01).any()  # what was called learning
    assert set(line_runs.loc[line_runs["skill"] > 0.01, "initial_loss"].notna()) == {True}


@pytest.mark.parametrize(
    ("end", "name", "poor"),
    [(2.29, "stuck", True), (2.0, "learns", True), (0.74 * LN10, "learns", False), (0.1, "learns", False), (30.0, "diverging", True)],
)
def test_little_was_learned_below_a_quarter_of_what_there_is(end, name, poor):
    found = judge_outcome(None, 100, 2.4, end, LN10, outputs=10, examples=1000)
    assert (found.name, found.poor) == (name, poor)


def test_a_net_that_was_not_trained_did_not_learn_poorly():
    assert not judge_outcome(None, 0, 2.4, 2.4, LN10, outputs=10, examples=1000).poor


def test_more_outputs_and_fewer_examples_explain_more_by_chance():
    assert [chance(10, 1000), chance(1, 1000), chance(10, 100), chance(10, 12)] == [0.01, 0.01, 0.1, 0.2]
    generator = np.random.default_rng(0)
    explained = []  # by the best direction for random classes: a fit that means nothing must not count
    for _ in range(200):
        x, y = generator.standard_normal(200), generator.standard_normal(200)
        explained.append(np.corrcoef(x, y)[0, 1] ** 2)
    assert np.mean(np.array(explained) > chance(1, 200)) < 0.2


def test_the_penalty_is_taken_off_the_first_loss():
    assert without_decay(5.0, 0.1, [math.nan, 2.0, 4.0]) == pytest.approx(5.0 - 0.05 * 20, rel=1e-15)
    assert without_decay(5.0, 0.0, [math.nan, math.inf]) == 5.0


CASES = {
    "dead by a large step": ("stuck", "activation=relu", "init=he", "depth=2", "width=32", "lr=8", "steps=100", "seed=2"),
    "dead under adam": (
        "stuck",
        "activation=relu",
        "init=he",
        "depth=5",
        "width=40",
        "optimizer=adam",
        "lr=0.2",
        "batch_size=32",
        "steps=150",
        "seed=4",
    ),
    "dead under momentum": (
        "stuck",
        "activation=relu",
        "init=he",
        "depth=3",
        "width=24",
        "lr=3",
        "optimizer=momentum",
        "batch_size=50",
        "steps=200",
        "seed=5",
    ),
    "above 2/λ": ("diverging", "data=point", "data.x=10", "data.y=1", "loss=mse", "depth=0", "lr=0.03", "steps=50"),
    "below 2/λ": ("learns", "data=point", "data.x=10", "data.y=1", "loss=mse", "depth=0", "lr=0.015", "steps=50"),
    "a step that is no step": ("stuck", "depth=3", "activation=relu", "init=he", "lr=1e-9", "batch_size=64", "steps=100"),
    "a deep sigmoid net": ("stuck", "depth=10", "activation=sigmoid", "width=32", "steps=60"),
    "a healthy net": ("learns", "depth=2", "activation=relu", "init=he", "width=32", "lr=0.1", "steps=60"),
    "a healthy normalized net": ("learns", "depth=3", "activation=tanh", "normalization=batch", "batch_size=50", "width=32", "steps=60"),
}
"""What people bring, distilled, with its right answer."""


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_people_bring(tmp_path, case):
    outcome, *overrides = case
    run = sweep(tmp_path, *overrides, multirun=False, tiny=False).runs.iloc[0]
    assert run["outcome"] == outcome, run[["final_loss", "skill", "baseline_loss"]]


def test_a_net_that_overflows_before_training_tells_where(tmp_path):
    overrides = ["depth=100", "width=256", "activation=identity", "init=normal", "dtype=float32", "steps=0"]
    results = sweep(tmp_path, *overrides, "data=gaussian", "data.n_samples=16", "data.n_features=256", multirun=False, tiny=False)
    run = results.runs.iloc[0]
    # ‖z‖ grows by √256 = 16 a layer: 16^l·√256 passes 3.4e38 in layer 32
    assert (run["outcome"], run["nonfinite_quantity"], run["nonfinite_layer"]) == ("diverged", "z", 32)


def test_skill_is_what_the_tables_say(tmp_path):
    results = sweep(tmp_path, "depth=2", "steps=5", "weight_decay=0.01", multirun=False)
    run, last = results.runs.iloc[0], results.layers[results.layers["step"] == 5]
    penalty = 0.5 * 0.01 * (last["weight_norm"] ** 2).sum()
    assert run["skill"] == pytest.approx(1 - (run["final_loss"] - penalty) / run["baseline_loss"], rel=1e-12)
    assert run["input_rms"] == pytest.approx(1, rel=0.1)  # standardized digits, but for their constant pixels
    assert (run["target_low"], run["target_high"]) == (0, 1)
