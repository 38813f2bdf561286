"""What people bring, and what explains it: the causes, from runs through the real code."""

import ast
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.config.files import catalogue
from experiments.diagnosis import causes
from experiments.diagnosis.verdict import OUTCOMES
from tests.experiments.helpers import sweep

ILL = {
    "dead by a large step": (
        ["activation=relu", "init=he", "depth=2", "width=32", "lr=8", "steps=100", "seed=2"], "stuck", {"learning_rate_high", "dead"},
    ),
    "dead under adam": (
        ["activation=relu", "init=he", "depth=5", "width=40", "optimizer=adam", "lr=0.2", "batch_size=32", "steps=150", "seed=4"],
        "stuck", {"learning_rate_high", "dead"},
    ),
    "dead under momentum": (
        ["activation=relu", "init=he", "depth=3", "width=24", "lr=3", "optimizer=momentum", "batch_size=50", "steps=200", "seed=5"],
        "stuck", {"learning_rate_high", "dead"},
    ),
    "above 2/λ": (
        ["data=point", "data.x=10", "data.y=1", "loss=mse", "depth=0", "lr=0.03", "steps=50"], "diverging",
        {"input_scale", "learning_rate_high"},
    ),
    "a step that is no step": (
        ["depth=3", "activation=relu", "init=he", "lr=1e-9", "batch_size=64", "steps=100"], "stuck", {"learning_rate_low"},
    ),
    "a deep sigmoid net": (["depth=10", "activation=sigmoid", "width=32", "steps=60"], "stuck", {"vanishing"}),
    "raw inputs": (
        ["data=line", "data.low=80", "data.high=104", "loss=mse", "activation=tanh", "depth=2", "steps=20", "lr=0.01"], "stuck",
        {"input_scale", "saturated"},
    ),
    "targets that a sigmoid cannot reach": (
        ["data=line", "data.scale=1", "data.low=-1", "data.high=1", "loss=mse", "output_activation=sigmoid", "data.standardize_target=true",
         "depth=1", "width=1", "lr=0.001", "steps=3"], None, {"output_range"},
    ),
}  # fmt: skip


def held(run):
    return {cause["cause"]: cause for cause in json.loads(run["causes"])}


@pytest.mark.parametrize(("overrides", "outcome", "expected"), ILL.values(), ids=ILL)
@pytest.mark.parametrize("neighbour", [0, 1])
def test_what_people_bring_is_explained(tmp_path, overrides, outcome, expected, neighbour):
    """The case itself, and the same kind with another seed and more units."""
    changes = []
    if neighbour:
        seed = next((int(word[5:]) for word in overrides if word.startswith("seed=")), 0)
        overrides = [word for word in overrides if not word.startswith(("seed=", "width="))]
        changes = [f"seed={seed + 10}", "width=36"]
    run = sweep(tmp_path, *overrides, *changes, multirun=False, tiny=False).runs.iloc[0]
    if neighbour and run["outcome"] == "diverged":
        expected = {"learning_rate_high"}  # the same illness, which ended out of the finite numbers
    elif outcome is not None:
        assert run["outcome"] == outcome
    found = held(run)
    assert expected <= set(found), run[["outcome", "causes"]].to_dict()
    assert list(found) == [name for name in causes.modules() if name in found]  # in order of weight
    assert run["verdict"] == run["outcome"] if run["outcome"] in OUTCOMES else run["signal"]


HEALTHY = {
    "relu": ["depth=2", "activation=relu", "init=he", "width=32", "lr=0.1", "steps=100"],
    "normalized": ["depth=3", "activation=tanh", "normalization=batch", "batch_size=50", "width=32", "steps=60"],
    "adam": ["depth=3", "activation=tanh", "optimizer=adam", "lr=0.003", "batch_size=50", "width=32", "steps=100"],
    "a line": ["data=line", "loss=mse", "activation=tanh", "depth=2", "width=16", "lr=0.05", "steps=200"],
}


@pytest.mark.parametrize("overrides", HEALTHY.values(), ids=HEALTHY)
def test_a_healthy_net_is_accused_of_nothing(tmp_path, overrides):
    run = sweep(tmp_path, *overrides, multirun=False, tiny=False).runs.iloc[0]
    assert (run["outcome"], held(run)) == ("learns", {})
    assert run["verdict"] == run["signal"]


@pytest.mark.parametrize(("steps", "named"), [(30, True), (200, False)])
def test_large_inputs_are_named_where_little_was_learned_and_not_where_much_was(tmp_path, steps, named):
    """After a few steps the skill is some hundredths, and grows to more than half, inputs of root mean square 20 or not."""
    net = ["data.scale=20", "activation=tanh", "depth=2", "width=32", "init.scale=0.05", "optimizer=adam", "lr=0.0003", "batch_size=64"]
    run = sweep(tmp_path, *net, f"steps={steps}", multirun=False, tiny=False).runs.iloc[0]
    assert run["outcome"] == "learns"
    assert (run["skill"] < 0.25) == named
    assert ("input_scale" in held(run)) == named


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "elu"])
def test_zero_weights_are_called_so(tmp_path, activation):
    run = sweep(tmp_path, f"activation={activation}", "init=constant", "init.scale=0", "depth=3", "steps=0", multirun=False).runs.iloc[0]
    assert (run["signal"], list(held(run))) == ("zero_weights", ["zero_weights"])


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_equal_units_are_called_symmetric(tmp_path, activation):
    overrides = [f"activation={activation}", "init=constant", "init.scale=0.05", "depth=3", "steps=30", "lr=0.1"]
    run = sweep(tmp_path, *overrides, multirun=False).runs.iloc[0]
    assert held(run)["symmetric"]["layers"] == [1, 2, 3]
    control = sweep(tmp_path, *overrides, "init=normal", multirun=False, name="control").runs.iloc[0]
    assert "symmetric" not in held(control)


def test_a_dead_output_unit_is_called_dead(tmp_path):
    data = ["data=point", "data.x=-1", "data.y=1", "output_activation=relu", "loss=mse"]
    run = sweep(tmp_path, *data, "init=constant", "init.scale=1", "depth=2", "width=2", "steps=0", multirun=False, tiny=False).runs.iloc[0]
    assert run["signal"] == "dead"
    assert held(run)["dead"]["layers"] == [3]


def test_an_overflow_tells_layer_and_quantity(tmp_path):
    overrides = ["depth=100", "width=256", "activation=identity", "init=normal", "dtype=float32", "steps=0"]
    results = sweep(tmp_path, *overrides, "data=gaussian", "data.n_samples=16", "data.n_features=256", multirun=False, tiny=False)
    cause = held(results.runs.iloc[0])["overflow"]
    assert (cause["when"], cause["layers"], cause["step"]) == ("start", [32], 0)
    assert "z of layer 32" in cause["evidence"]


def test_a_rectifiers_zeros_are_no_saturation(tmp_path):
    results = sweep(tmp_path, "depth=1", "activation=relu", "normalization=batch", "init=normal", "seed=range(8)", "steps=5")
    assert set(results.runs["signal"]) == {"none"}
    assert not any("saturated" in held(run) for _, run in results.runs.iterrows())


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_under_batch_normalization_the_inputs_unit_changes_no_signal(tmp_path, activation):
    results = sweep(tmp_path, "data.scale=1,255,1e5", f"activation={activation}", "init=he", "normalization=batch", "depth=5", "steps=0")
    assert results.runs["signal"].nunique() == 1


def test_evidence_is_a_number_of_the_tables(tmp_path):
    results = sweep(
        tmp_path, "activation=relu", "init=he", "depth=2", "width=32", "lr=8", "steps=100", "seed=2", multirun=False, tiny=False
    )
    found = held(results.runs.iloc[0])
    layers = results.layers.set_index(["step", "layer"])
    dead = found["dead"]
    assert all(layers.loc[(100, layer), "dead"] >= 0.9 for layer in dead["layers"])
    assert dead["value"] == layers.loc[[(100, layer) for layer in dead["layers"]], "dead"].max()
    rows = results.steps.set_index("step")["loss"]
    high = found["learning_rate_high"]
    assert high["value"] == results.runs["initial_sharpness"].iloc[0]
    assert f"to {rows[rows.index > 0].max():.3g} in training" in high["evidence"]


def test_the_sharpness_is_measured_unasked_where_the_rate_is_in_question_and_the_limit_is_said(tmp_path):
    """J = ½(wx + b − y)²: the Hessian in (w, b) has the one eigenvalue x² + 1 = 101."""
    words = ["data=point", "data.x=10", "data.y=1", "loss=mse", "depth=0", "steps=50"]
    rules = ["optimizer=sgd,momentum,nesterov,adam", "lr=0.015,0.3"]
    results = sweep(tmp_path, *words, *rules, tiny=False)
    assert results.steps["sharpness"].isna().all()
    for _, run in results.runs.iterrows():
        found = held(run)
        in_question = any(name.startswith("learning_rate") for name in found) and run["optimizer"] != "adam"
        assert (run["initial_sharpness"] == pytest.approx(101, rel=1e-6)) == in_question
        beta = run["optimizer.beta"]
        limit = {"sgd": 2 / 101, "momentum": (2 + 2 * beta) / 101, "nesterov": (2 + 2 * beta) / (1 + 2 * beta) / 101}.get(run["optimizer"])
        if run["lr"] == 0.3 and limit:
            assert (
                f"lr=0.3 is above the largest stable one, {limit:.3g} (sharpness 101 at step 0)" in found["learning_rate_high"]["evidence"]
            )
    high = results.runs[results.runs["lr"] == 0.3].set_index("optimizer")
    assert (high.loc[["sgd", "momentum", "nesterov"], "outcome"] != "learns").all()


def test_where_learning_rates_differ_by_layer_no_largest_stable_one_is_said(tmp_path):
    words = ["data=point", "data.x=10", "data.y=1", "loss=mse", "depth=0", "steps=50", "lr=0.3"]
    results = sweep(tmp_path, *words, "parametrization=standard,ntk,mup", tiny=False).runs.set_index("parametrization")
    assert (results["outcome"] != "learns").all()
    evidence = {name: held(run)["learning_rate_high"]["evidence"] for name, run in results.iterrows()}
    assert ["largest stable" in evidence[name] for name in ("standard", "ntk", "mup")] == [True, False, False]
    assert results["initial_sharpness"].isna().tolist() == [False, True, True]


def test_where_the_sharpness_is_recorded_the_largest_stable_rate_is_said(tmp_path):
    """J = ½(wx + b − y)²: the Hessian in (w, b) has the one eigenvalue x² + 1 = 101, so that 2/λ = .0198."""
    words = ["data=point", "data.x=10", "data.y=1", "loss=mse", "depth=0", "steps=50", "record.sharpness=true"]
    results = sweep(tmp_path, *words, "lr=0.015,0.03", tiny=False)
    stable, unstable = (results.runs.iloc[place] for place in (0, 1))
    assert stable["outcome"] == "learns"
    cause = held(unstable)["learning_rate_high"]
    assert cause["value"] == pytest.approx(101, rel=1e-6)
    assert "lr=0.03 is above the largest stable one, 0.0198 (sharpness 101 at step 0)" in cause["evidence"]


def test_every_cause_is_a_file_with_reasons_and_remedies():
    for name, module in causes.modules().items():
        assert module.__doc__
        assert module.REMEDIES, name
        lines = Path(module.__file__).read_text(encoding="utf-8").splitlines()
        tree = ast.parse("\n".join(lines))
        body = tree.body
        for place, node in enumerate(body):  # a threshold is followed by its reason
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, float):
                follows = body[place + 1]
                assert isinstance(follows, ast.Expr), (name, node.lineno)
                assert isinstance(follows.value, ast.Constant), (name, node.lineno)
    weights = [module.WEIGHT for module in causes.modules().values()]
    assert weights == sorted(weights, reverse=True)
    assert len(set(weights)) == len(weights)
    assert catalogue("remedy")


def test_groups_count_outcomes_and_causes(tmp_path):
    from experiments.diagnosis.groups import summarize_groups

    results = sweep(tmp_path, "activation=relu", "init=he", "depth=2", "width=32", "lr=0.1,8", "steps=60", "seed=range(3)", tiny=False)
    groups = summarize_groups(results.runs, ["lr"]).set_index("lr")
    for rate, part in results.runs.groupby("lr"):
        group = groups.loc[rate]
        assert group["n_learns"] == (part["outcome"] == "learns").sum()
        assert (part["verdict"] == group["verdict"]).sum() == group["n_agree"] >= 2
    assert "learning rate high 3/3" in groups.loc[8, "causes"]
    assert groups.loc[0.1, "causes"] == ""
    assert isinstance(groups, pd.DataFrame)
    assert np.isfinite(groups.loc[0.1, "skill"])


def test_large_columns_of_a_table_are_told_by_name(tmp_path):
    g = np.random.default_rng(0)
    frame = pd.DataFrame(g.standard_normal((80, 5)) * [1, 9000, 1, 700, 50], columns=["age", "income", "rooms", "area", "rent"])
    frame.assign(y=np.arange(80) % 2).to_csv(tmp_path / "flats.csv", index=False)
    words = ["data=table", f"data.path={tmp_path / 'flats.csv'}", "data.target=y", "data.standardize=false", "depth=2", "width=8"]
    results = sweep(tmp_path, *words, "activation=tanh", "steps=20", "lr=0.1", "seed=range(3)", tiny=False)
    told = [held(run)["input_scale"] for _, run in results.runs.iterrows() if "input_scale" in held(run)]
    assert told
    x = frame.iloc[:, :5]
    for cause in told:
        assert "; the largest: income (" in cause["evidence"]
        assert cause["evidence"].index("income") < cause["evidence"].index("area") < cause["evidence"].index("rent")
        assert "age" not in cause["evidence"]
        said = float(cause["evidence"].partition("income (")[2].partition(")")[0])
        assert said == pytest.approx(np.sqrt((x["income"] ** 2).mean()), rel=0.15)  # of the training examples, four in five


SQUARED = ["loss=mse", "output_activation=sigmoid", "activation=tanh", "init=xavier", "depth=2", "width=24", "lr=0.05", "steps=40"]


def test_a_squared_error_behind_a_saturated_output_is_the_wrong_loss(tmp_path):
    run = sweep(tmp_path, *SQUARED, "init.scale=20", multirun=False, name="ill", tiny=False)
    cause = held(run.runs.iloc[0])["wrong_loss"]
    layers = run.layers.set_index(["step", "layer"])
    assert cause["value"] == layers.loc[(40, 3), "saturated"]
    assert cause["layers"] == [3]
    assert cause["step"] == 0
    logits = [word for word in SQUARED if not word.startswith(("loss", "output"))]
    other = sweep(tmp_path, *logits, "loss=sigmoid_cross_entropy", "init.scale=20", multirun=False, name="logits", tiny=False)
    assert "wrong_loss" not in held(other.runs.iloc[0])
    heard = sweep(tmp_path, *SQUARED, "seed=range(4)", name="heard", tiny=False)
    assert not any("wrong_loss" in held(row) for _, row in heard.runs.iterrows())


@pytest.mark.parametrize("activation", ["tanh", "relu", "identity"])
def test_of_equal_units_no_speed_of_weights_is_said(tmp_path, activation):
    """Their errors cancel in ∂J/∂W, and what rounding leaves would be called thousands of times slower or faster."""
    words = ["depth=6", f"activation={activation}", "steps=3", "width=16"]
    runs = sweep(tmp_path, *words, "init=constant", "init.scale=0.02,0.3", tiny=False).runs
    assert set(runs["signal"]) & {"vanishing", "exploding"}
    assert not runs["signal_reason"].str.contains("its weights").any()
    drawn = sweep(tmp_path, *words, "init=normal", "init.scale=0.02", multirun=False, name="drawn", tiny=False).runs
    assert drawn["signal_reason"].str.contains("its weights").all()


def test_a_rate_that_warms_up_is_judged_by_what_it_was_until_the_loss_grew(tmp_path):
    """lr is far above 2/λ; so is the rate that it has risen to, which the words name."""
    net = [
        "depth=2",
        "width=16",
        "activation=relu",
        "init=he",
        "lr=30",
        "loss=mse",
        "steps=40",
        "record.sharpness=true",
        "schedule.warmup=30",
    ]
    cause = held(sweep(tmp_path, *net, multirun=False).runs.iloc[0])["learning_rate_high"]
    assert cause["evidence"].startswith("lr=30, ")
    assert "until then by schedule=constant, is above the largest stable one" in cause["evidence"]
    assert cause["step"] < 30


@pytest.mark.parametrize(
    ("clip", "words"),
    [
        ("clip=percentile clip.percentile=0.01", "clip.percentile=0.01 acted"),  # all but a new least norm
        ("clip=adaptive clip.threshold=1e-9", "clip.threshold=1e-09 acted"),
    ],
)
def test_clipping_of_any_kind_is_named_with_its_own_key(tmp_path, clip, words):
    net = ["depth=2", "width=8", "lr=1e-9", "steps=200", "batch_size=8", *clip.split()]
    assert held(sweep(tmp_path, *net, multirun=False).runs.iloc[0])["clipped_always"]["evidence"].startswith(words)


@pytest.mark.parametrize(("place", "free"), [("before", True), ("after", False)])
def test_behind_the_activation_a_normalization_frees_no_z_of_its_scale(tmp_path, place, free):
    net = ["depth=4", "width=16", "activation=tanh", "normalization=layer", f"normalization.place={place}", "steps=0"]
    row = sweep(tmp_path, *net, multirun=False).runs.iloc[0]
    assert ("δ·sd(z)" in row["signal_reason"]) == free
