import json
import math

import numpy as np
import pandas as pd
import pytest

from experiments.cli import main
from experiments.compose.composition import compose
from experiments.config.files import catalogue, choice
from experiments.config.identity import flatten
from experiments.config.keys import GROUPS, SCALARS
from experiments.config.validation import validate
from experiments.diagnosis import remedies
from experiments.diagnosis.causes import modules
from experiments.diagnosis.effects import conclude, effects
from experiments.errors import UserError
from experiments.report.remedies import as_markdown, as_text, draw, rows_of, shown
from experiments.sweep import invocation
from tests.experiments.helpers import TINY, whole


@pytest.fixture(scope="module")
def patient():
    overrides = ("depth=4", "activation=sigmoid", "batch_size=20")
    return validate(compose([], [*TINY, *overrides])[0].config, overrides=overrides)


def test_every_remedy_states_what_why_and_who_says_so():
    assert {level.name for level in remedies.levels()} == set(catalogue("remedy"))
    for level in remedies.levels():
        assert [bool(level.change), bool(level.multiply), bool(level.bracket)].count(True) == 1
        keys = (*level.change, *level.multiply, *([level.bracket] if level.bracket else []))
        assert all(key.partition(".")[0] in {*GROUPS, *SCALARS} for key in keys)
        assert level.advice
        assert level.reason
        assert level.source
    costs = {level.remedy: level.cost for level in remedies.levels()}
    of_the_literature = {level.remedy for level in remedies.levels() if not level.alone}
    assert sorted(costs[remedy] for remedy in of_the_literature) == [1, 2, 3, 4, 5]


def test_every_cause_points_to_remedies_that_there_are():
    for name, module in modules().items():
        assert set(module.REMEDIES) <= set(catalogue("remedy")), name


def test_alone_and_in_pairs_of_different_remedies(patient):
    tried = remedies.candidates(patient)
    assert tried[0].label == remedies.UNCHANGED
    assert len({candidate.run.run_id for candidate in tried}) == len(tried)
    known = remedies.levels()
    singles = [candidate for candidate in tried if len(candidate.levels) == 1]
    assert {candidate.levels[0].name for candidate in singles} >= {level.name for level in known if not level.alone}
    pairs = [candidate for candidate in tried if len(candidate.levels) == 2]
    paired = [level for level in known if not level.alone]
    assert len(pairs) == sum(a.remedy != b.remedy for i, a in enumerate(paired) for b in paired[:i])
    assert all(candidate.levels[0].remedy != candidate.levels[1].remedy for candidate in pairs)


def test_a_candidate_is_what_hydra_would_compose(patient):
    tried = remedies.runs_of(remedies.candidates(patient), 2)
    for run in (tried[3], tried[-1]):
        assert validate(compose([], [*TINY, *run.overrides])[0].config).run_id == run.run_id


WHOLE = ("anew", "linear_net", "small_net")
"""Remedies that change everything at once: an initialization is a part of them, whatever the net has."""


def standardized(run):
    return validate({**run.config, "data": {**run.config["data"], "standardize": True}})


def test_remedies_can_be_asked_for_by_name_in_an_order(patient):
    tried = remedies.proposed(patient, ["small_net", "initialization", "anew"])
    names = [candidate.levels[0].name for candidate in tried]
    assert names == sorted(names, key=["small_net", "initialization", "anew"].index)
    assert names.count("initialization") > 1
    assert patient.run_id not in {candidate.run.run_id for candidate in tried}
    assert all(candidate.run.steps == patient.steps for candidate in tried)
    assert remedies.proposed(patient, ["scale_target"]) == []  # not of classes


def test_what_the_configuration_has_already_is_not_tried(patient):
    cured = validate({**patient.config, "init": choice("init", "he")})
    tried = [candidate.label for candidate in remedies.candidates(cured) if all(level.name not in WHOLE for level in candidate.levels)]
    assert not any("init=he" in label for label in tried)
    assert any("init=xavier" in label for label in tried)
    assert "data.standardize=true + " not in remedies.proposed(standardized(cured), ["small_net"])[0].label


def test_defaults_are_filled_in_where_nothing_is_given():
    config = compose([], ["steps=100"])[0].config
    prepared = remedies.prepare(validate(config, overrides=("steps=100",)))
    assert prepared.batch_size == remedies.BATCH_SIZE
    assert f"batch_size={remedies.BATCH_SIZE}" in prepared.overrides
    kept = remedies.prepare(validate(config, overrides=("batch_size=null", "record.every=1")))
    assert flatten(kept.config) == flatten(validate(config).config)


@pytest.mark.parametrize("words", [["width=[9,8,7]"], ["activation=[tanh,tanh,relu]"], ["activation=[tanh,tanh,tanh]", "depth=null"]])
def test_what_is_to_be_typed_has_the_depth_that_a_list_gave(words):
    """A change may replace the list, and the net must not fall back to the default depth."""
    (composed,) = compose([], words)
    run = remedies.prepare(validate(composed.config, overrides=composed.overrides))
    assert "depth=3" in run.overrides
    for candidate in remedies.candidates(run):
        (again,) = compose([], list(candidate.run.overrides))
        assert validate(again.config).run_id == candidate.run.run_id, candidate.label


def test_intervals_need_two_seeds(patient):
    with pytest.raises(UserError, match=r"--seeds.*≥ 2, got 1"):
        remedies.runs_of(remedies.candidates(patient), 1)


def runs(table, steps=10):
    """One row a change and seed: (change, n_changes, cost, factor, loss, accuracy, lost)."""
    rng = np.random.default_rng(0)
    rows = []
    for change, n_changes, cost, factor, loss, accuracy, lost in table:
        for seed in range(4):
            gone = seed < lost
            rows.append({
                "run_id": f"{change}{seed}", "seed": seed, "change": change, "n_changes": n_changes, "cost": cost, "depth": 11,
                "advice": f"do {change}", "reason": "because", "steps": steps, "status": "diverged" if gone else "ok",
                "delta_factor": factor * math.exp(0.01 * rng.standard_normal()), "delta_factor_lo": 0.9 * factor,
                "delta_factor_hi": 1.1 * factor, "delta_factor_theory": factor,
                "verdict": "diverged" if gone else "stable" if 0.9 < factor < 1.1 else "vanishing" if factor < 1 else "exploding",
                "final_loss": 1e30 if gone else loss * math.exp(0.02 * rng.standard_normal()),
                "final_accuracy": accuracy + 0.01 * rng.standard_normal(), "test_accuracy": accuracy,
            })  # fmt: skip
    return whole(pd.DataFrame(rows))


CLIPPED = pd.Series(dtype="float64")
SICK = ("unchanged", 0, 0, 0.25, 2.3, 0.1, 0)


def outcome(table):
    return table.set_index("change")["outcome"].to_dict()


def test_outcomes_and_the_cheapest_that_works():
    table = effects(runs([
        SICK, ("good", 1, 4, 0.97, 0.5, 0.8, 0), ("dear", 1, 5, 1.0, 0.2, 0.95, 0), ("both", 2, 9, 1.0, 0.1, 0.99, 0),
        ("little", 1, 1, 0.5, 2.0, 0.25, 0), ("lossy", 1, 2, 1.0, 0.3, 0.95, 1), ("idle", 1, 3, 0.25, 2.3, 0.1, 0),
        ("bad", 1, 2, 4.0, 9.0, 0.02, 0), ("gone", 1, 2, 9.0, 9.0, 0.1, 4),
    ]), CLIPPED)  # fmt: skip
    assert outcome(table) == {
        "unchanged": "no effect", "good": "works", "dear": "works", "both": "works", "little": "helps", "lossy": "uncertain",
        "idle": "no effect", "bad": "worse", "gone": "worse",
    }  # fmt: skip
    assert table["change"].tolist()[:3] == ["both", "dear", "good"]
    assert table.set_index("change").loc["both", ["rank_loss", "rank_accuracy"]].tolist() == [1, 1]
    assert table.set_index("change").loc["lossy", "loss"] == pytest.approx(0.3, rel=0.1)
    said = conclude(table, math.nan)
    assert said.answer.startswith("the cheapest change that works: good: δ per layer 0.25× → 0.967×, stable")
    assert said.best.startswith("the best: both")
    text = "\n".join(said.warnings)
    assert "“do bad” (bad) makes training worse" in text
    assert "without effect on training, alone: idle" in text
    assert "4 of 4 runs lost" in text


def test_it_says_so_when_nothing_helps():
    said = conclude(effects(runs([SICK, ("idle", 1, 1, 0.26, 2.3, 0.1, 0), ("bad", 1, 2, 0.1, 2.5, 0.05, 0)]), CLIPPED), math.nan)
    assert said.answer == "none of the remedies helps, alone or in pairs"
    assert said.best == ""
    assert "makes it worse: δ per layer 0.25× → 0.0999×, vanishing" in "\n".join(said.warnings)


def test_clipping_that_never_acts_is_said_to_do_nothing():
    table = effects(runs([SICK, ("clip=norm", 1, 3, 0.25, 2.3, 0.1, 0)]), CLIPPED)
    assert "clip=norm (it never acts)" in conclude(table, 0.0).warnings[-1]
    assert "it acts in 40 % of the recorded steps" in conclude(table, 0.4).warnings[-1]


def test_regressions_are_judged_by_their_loss():
    frame = runs([SICK, ("good", 1, 1, 1.0, 0.01, 0.0, 0), ("gone", 1, 1, 1.0, 0.01, 0.0, 4)])
    frame[["final_accuracy", "test_accuracy"]] = np.nan
    table = effects(frame, CLIPPED)
    assert outcome(table) == {"unchanged": "no effect", "good": "works", "gone": "worse"}
    assert table.set_index("change").loc["good", "effect_loss"] == pytest.approx(0.01 / 2.3, rel=0.1)
    assert math.isnan(table.set_index("change").loc["gone", "loss"])
    draw(table)


def test_without_training_the_verdict_on_delta_counts():
    frame = runs([SICK, ("good", 1, 1, 1.0, 2.3, 0.1, 0), ("nearer", 1, 1, 0.5, 2.3, 0.1, 0), ("bad", 1, 1, 0.1, 2.3, 0.1, 0)], steps=0)
    assert outcome(effects(frame, CLIPPED)) == {"unchanged": "no effect", "good": "works", "nearer": "helps", "bad": "worse"}


def test_a_patient_whose_runs_are_lost_can_be_cured():
    table = effects(runs([("unchanged", 0, 0, 3.0, 1.0, 0.1, 4), ("good", 1, 1, 1.0, 0.1, 0.9, 0)]), CLIPPED)
    assert outcome(table)["good"] == "works"
    assert "4 of 4 runs diverged" in conclude(table, math.nan).patient
    assert "δ grows 3" in conclude(table, math.nan).patient


def test_what_is_shown_is_what_was_measured():
    table = effects(runs([SICK, ("good", 1, 4, 0.97, 0.5, 0.8, 0), *((f"p{i}", 2, 5, 1.0, 0.5, 0.8, 0) for i in range(40))]), CLIPPED)
    part = shown(table)
    assert {"unchanged", "good"} < set(part["change"])
    assert len(part) == 24
    said = conclude(table, math.nan)
    assert "… and 18 more pairs" in as_text(table, said)
    assert as_markdown(table, said).count("\n| ") == len(table) + 1
    (row,) = [row for row in rows_of(table) if row["change"] == "good"]
    assert float(row["factor"]) == pytest.approx(table.set_index("change").loc["good", "delta_factor"], rel=5e-3)
    left, right = draw(table).axes
    for axes, name in ((left, "delta_factor"), (right, "accuracy")):
        drawn = np.sort(np.concatenate([line.get_xdata() for line in axes.lines if line.get_linestyle() == "None"]))
        np.testing.assert_allclose(drawn, np.sort(part[name]), rtol=1e-12)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_command_end_to_end(here, monkeypatch, capsys):
    """Three levels are tried for speed; the page, the table and JSON say the same."""
    some = [level for level in remedies.levels() if {"relu", "batch", "norm"} & set(level.change.values())]
    monkeypatch.setattr(remedies, "levels", lambda: some)
    words = ["remedies", "depth=6", "activation=sigmoid", *TINY, "steps=3", "batch_size=20", "name=r", "--seeds", "2"]
    assert main([*words, "--dry-run"]) == 0
    assert "14 runs, 0 of them done" in capsys.readouterr().out
    assert not (here / "results").exists()
    assert main([*words, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["conclusions"][0].startswith("unchanged: stuck: 2 of 2 runs are stuck")
    table = pd.read_csv(here / "results" / "r" / "remedies.csv")
    assert [row["change"] for row in said["changes"]] == table["change"].tolist()
    assert set(table["n_changes"]) == {0, 1, 2}
    page = (here / "results" / "r" / "remedies.html").read_text(encoding="utf-8")
    assert page.count("<tr>") == len(table) + 1 + 3 + 1
    assert main(words) == 0
    assert f"{2 * len(table)} runs done before" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--budget", "5"], "`--budget` must be an integer ≥ 6"),
        (["--seeds", "1"], "`--seeds` must be an integer ≥ 2"),
        (["--seeds", "x"], "--seeds"),
        (["depth=2,3"], "`remedies` takes one configuration, and `depth=2,3` is a sweep"),
        (["+experiment=overview"], "`remedies` takes one configuration, and this is a sweep of 72"),
        (["activation=sigmoyd"], "did you mean sigmoid"),
    ],
    ids=str,
)
def test_bad_input_is_one_line(arguments, message, here, capsys):
    assert main(["remedies", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert not (here / "results").exists()


def said_of(here, capsys, *words):
    assert main(["remedies", *words, "executor=serial", "name=r", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    return said["conclusions"], {row["change"]: row for row in said["changes"]}


def test_what_stays_above_a_constant_is_no_cure(here, capsys):
    """Inputs between 80 and 104: clipping lowers the loss by decades and ends above the mean predictor's; standardizing cures."""
    net = ["activation=relu", "depth=5", "init=he", "width=32", "lr=0.01", "steps=200", "batch_size=64"]
    lines, rows = said_of(here, capsys, "data=line", "data.low=80", "data.high=104", "loss=mse", *net, "--budget", "30")
    assert rows["clip=norm"]["outcome"] != "works"
    assert rows["data.standardize=true"]["outcome"] == "works"
    assert rows["data.standardize=true"]["skill"] > 0
    assert "data.standardize=true" in lines[1]
    assert "to be typed: gradstab run data=line" in lines[1]


@pytest.mark.parametrize("seed", [0, 20])
def test_a_stuck_net_has_something_to_cure_and_a_rate_is_found_over_decades(here, capsys, seed):
    net = ["depth=3", "activation=relu", "init=he", "lr=1e-9", "batch_size=64", "steps=100", f"seed={seed}", "width=32"]
    lines, rows = said_of(here, capsys, *net, "--budget", "24", "--seeds", "3")
    assert not any("nothing to cure" in line for line in lines)
    assert rows["unchanged"]["n_learns"] == 0
    assert "the cheapest change that works: lr=" in lines[1]


def test_a_change_that_ends_worse_than_a_constant_does_not_work(here, capsys):
    net = ["depth=3", "activation=relu", "init=he", "optimizer=adam", "lr=1000", "batch_size=64", "steps=100", "width=32"]
    _, rows = said_of(here, capsys, *net, "--budget", "54")
    works = [row for row in rows.values() if row["outcome"] == "works"]
    assert works
    assert all(row["n_learns"] >= 0.9 * row["n_runs"] for row in works)
    assert not any(row["change"] == "activation=tanh" for row in works)


@pytest.mark.parametrize("depth", [0, 1])
def test_without_a_factor_there_is_a_dash(here, capsys, depth):
    words = ["remedies", f"depth={depth}", "lr=1e-9", "batch_size=64", "steps=60", "executor=serial", "name=r", "--budget", "18"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "nan" not in out.lower()
    assert "works: lr=" in out


def test_with_a_budget_nothing_runs_twice_and_a_dry_run_runs_nothing(here, monkeypatch, capsys):
    """The ailing net is run by the executor, like all others, before it is known what its causes point to."""
    trained = []
    inner = invocation.execute
    monkeypatch.setattr(invocation, "execute", lambda todo, *rest: trained.append(len(todo.todo)) or inner(todo, *rest))
    net = ["depth=3", "activation=relu", "init=he", "lr=40", "batch_size=20", "steps=10", *TINY]
    words = ["remedies", *net, "--budget", "14", "--seeds", "2"]
    assert main([*words, "--dry-run"]) == 0
    assert "14 runs, 0 of them done" in capsys.readouterr().out
    assert not trained
    assert not (here / "results").exists()
    assert main([*words, "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert sum(trained) == 14
    assert sum(row["n_runs"] for row in first["changes"]) == 14
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == first
    assert sum(trained) == 14
    assert main([*words[:-4], "--budget", "20", "--seeds", "2", "--json"]) == 0  # more of them: what is there is not run again
    more = json.loads(capsys.readouterr().out)
    assert sum(trained) == sum(row["n_runs"] for row in more["changes"]) == 20
    assert {row["change"] for row in first["changes"]} <= {row["change"] for row in more["changes"]}
    assert main([*words, "--json"]) == 0  # and the smaller budget has its own answer still
    again = json.loads(capsys.readouterr().out)
    assert [row["change"] for row in again["changes"]] == [row["change"] for row in first["changes"]]
    assert sum(trained) == 20


def test_another_sweep_in_the_folder_is_refused_with_a_budget_too(here, capsys):
    net = ["depth=2", "batch_size=20", "steps=2", *TINY, "name=r"]
    assert main(["run", *net]) == 0
    capsys.readouterr()
    assert main(["remedies", *net, "--budget", "4", "--seeds", "2"]) == 2
    assert "holds another sweep (1 run)" in capsys.readouterr().err
