import hashlib
import json
import shutil
import sys
from types import ModuleType

import pytest

from bpcore import activations
from experiments.compose import hydras, many
from experiments.compose.composition import compose
from experiments.config import checking, files, identity
from experiments.config.identity import cell, elsewhere, flatten, uncell
from experiments.config.keys import LATER_GROUPS, UNIDENTIFYING
from experiments.config.paths import CONF
from experiments.config.validation import validate
from experiments.datasets.digits import digits
from tests.experiments.datasets.tables import flats
from tests.experiments.helpers import changed


@pytest.fixture(scope="module")
def default():
    return compose([], ["data.n_samples=50"])[0].config


def run_id(config):
    return validate(config).run_id


def test_integers_and_floats_of_equal_value_are_the_same_run(default):
    assert run_id(changed(default, lr=1)) == run_id(changed(default, lr=1.0))


@pytest.mark.parametrize(
    "changes",
    [{"depth": 6}, {"seed": 1}, {"init__scale": 1.5}, {"data__n_samples": 49}, {"record__every": 2}, {"dtype": "float32"}],
    ids=str,
)
def test_what_changes_a_number_or_a_row_changes_the_identity(default, changes):
    assert run_id(changed(default, **changes)) != run_id(default)


@pytest.mark.parametrize("changes", [{"name": "x"}, {"results_dir": "elsewhere"}], ids=str)
def test_what_changes_nothing_keeps_the_identity(default, changes):
    assert run_id(changed(default, **changes)) == run_id(default)


def test_a_key_that_came_later_keeps_the_identity_where_it_says_what_was_before(default):
    assert run_id(changed(default, loss__reduction="sum_outputs")) == run_id(default)
    assert run_id(changed(default, loss__reduction="mean")) != run_id(default)
    assert flatten(validate(default).config)["loss.reduction"] == "sum_outputs"
    content = {key: identity._identifying(key, value) for key, value in validate(default).config.items() if key == "loss"}
    assert content == {"loss": {"name": "softmax_cross_entropy"}}


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ("depth=5", "9f01d4d87c7d5446"),
        ("clip=layer_norm clip.threshold=2", "12aa9ed52d6dce5c"),
        ("clip=per_layer clip.threshold=2", "12aa9ed52d6dce5c"),
        ("init=he", "37214db7d3e14a2a"),
        ("init=orthogonal", "2a9520881e719423"),
        ("init=constant", "a10845697ae25562"),
        ("init=truncated_normal", "2b0374032a32f006"),
        ("steps=7 batch_size=32", "f84a5a598a2107c6"),
        ("steps=7 batch_size=32 schedule=constant", "f84a5a598a2107c6"),
    ],
)
def test_runs_keep_the_identity_that_they_had_before_there_were_schedules_and_other_names(overrides, expected, monkeypatch):
    """Made by the code before, of version 5."""
    monkeypatch.setattr(identity, "ARITHMETIC_VERSION", 5)
    assert run_id(compose([], ["data.n_samples=50", *overrides.split()])[0].config) == expected


def test_a_schedule_is_part_of_the_identity(default):
    schedules = [compose([], ["data.n_samples=50", *more])[0].config for more in ([], ["schedule.warmup=5"], ["schedule=cosine"])]
    assert len({run_id(config) for config in schedules}) == 3


def test_a_parametrization_is_part_of_the_identity_and_the_standard_one_is_the_run_of_before(default):
    before, ntk, mup, wide = (
        validate(compose([], ["data.n_samples=50", *more])[0].config).run_id
        for more in (
            ["parametrization=standard"],
            ["parametrization=ntk"],
            ["parametrization=mup"],
            ["parametrization=mup", "parametrization.base_width=128"],
        )
    )
    assert before == run_id(default)
    assert len({before, ntk, mup, wide}) == 4


def test_a_rate_of_dropout_is_part_of_the_identity_and_none_is_the_run_of_before(default):
    dropped = [
        compose([], ["data.n_samples=50", *more])[0].config for more in (["dropout.rate=0"], ["dropout.rate=0.1"], ["dropout.rate=0.2"])
    ]
    assert run_id(dropped[0]) == run_id(default)
    assert len({run_id(config) for config in dropped}) == 3


def test_an_earlier_name_is_no_choice_of_its_own():
    assert "layer_norm" not in files.catalogue("clip")
    assert "per_layer" in files.catalogue("clip")
    run = validate(compose([], ["data.n_samples=50", "clip=layer_norm"])[0].config)
    assert flatten(run.config)["clip"] == "per_layer"


def test_the_executor_keeps_the_identity(default):
    assert run_id(compose([], ["data.n_samples=50", "executor=serial"])[0].config) == run_id(default)


def test_the_arithmetic_version_changes_the_identity(default, monkeypatch):
    before = run_id(default)
    monkeypatch.setattr(identity, "ARITHMETIC_VERSION", identity.ARITHMETIC_VERSION + 1)
    assert run_id(default) != before


@pytest.fixture
def moved(monkeypatch):
    """A module that the factories of tanh and of the digits have moved to."""
    module = ModuleType("moved")
    module.tanh, module.digits = activations.tanh, digits
    monkeypatch.setitem(sys.modules, "moved", module)
    return module


def text(name, target):
    return f"_target_: {target}\nname: {name}\n"


def test_moving_a_factory_changes_no_identity(default, moved, tmp_path, monkeypatch):
    conf = shutil.copytree(CONF, tmp_path / "conf")
    (conf / "activation" / "tanh.yaml").write_text(text("tanh", "moved.tanh"))
    old = (conf / "data" / "digits.yaml").read_text()
    (conf / "data" / "digits.yaml").write_text(old.replace("experiments.datasets.digits.digits", "moved.digits"))
    before = run_id(default)
    for module in (files, hydras, many):
        monkeypatch.setattr(module, "CONF", conf)
    files._choice.cache_clear()
    checking._check_serialized.cache_clear()
    try:
        after = validate(compose([], ["data.n_samples=50"])[0].config)
        assert after.config["activation"]["_target_"] == "moved.tanh"
        assert after.config["data"]["_target_"] == "moved.digits"
        assert after.run_id == before
        assert elsewhere("data", after.config["data"]) is None
    finally:
        files._choice.cache_clear()
        checking._check_serialized.cache_clear()


def test_a_factory_from_elsewhere_is_identified_by_its_path(default, moved, tmp_path):
    (tmp_path / "activation").mkdir()
    moved.other = moved.tanh
    identities = set()
    for target in ("moved.tanh", "moved.other", "bpcore.activations.tanh"):
        (tmp_path / "activation" / "own.yaml").write_text(text("own", target))
        own = validate(compose(["--config-dir", str(tmp_path)], ["data.n_samples=50", "activation=own"])[0].config)
        assert elsewhere("activation", own.config["activation"]) == target
        identities.add(own.run_id)
    assert len(identities) == 3


def test_another_factory_under_a_name_of_the_package_is_identified_by_its_path(default, moved):
    other = validate(changed(default, activation___target_="moved.tanh"))
    assert elsewhere("activation", other.config["activation"]) == "moved.tanh"
    assert other.run_id != run_id(default)


def test_where_data_lie_is_no_part_of_the_identity_but_what_they_are_is(default):
    node = validate(default).config["data"]
    assert identity._identifying("data", {**node, "dir": "here"}) == identity._identifying("data", {**node, "dir": "there"})
    assert run_id(changed(default, data__seed=1)) != run_id(default)


def test_columns_are_dotted_and_leave_out_what_changes_nothing(default):
    columns = flatten(validate(default).config)
    assert columns["activation"] == "tanh"
    assert columns["init.scale"] == 1.0
    assert not {"name", "results_dir", "executor", "activation._target_"} & set(columns)


def test_where_a_file_lies_is_no_part_of_the_identity_and_what_it_holds_is(tmp_path):
    path = flats(tmp_path)
    (tmp_path / "there").mkdir()
    moved, changed_file = tmp_path / "there" / "moved.csv", tmp_path / "changed.csv"
    moved.write_bytes(path.read_bytes())
    changed_file.write_text(path.read_text().replace("old", "ancient", 1))
    first, same, other = (
        run_id(compose([], ["data=table", f"data.path={file}", "data.target=price", "loss=mse"])[0].config)
        for file in (path, moved, changed_file)
    )
    assert first == same != other


@pytest.mark.parametrize("value", [["a", "b"], ["größe, in cm"], "a", "[no json", "[1", 3, None, True])
def test_a_list_is_one_cell_of_the_table(value):
    assert uncell(cell(value)) == value
    assert not isinstance(cell(value), list)


CHANGES = (
    {},
    {"lr": 1e-7, "width": [3, 4], "depth": 2},
    {"weight_decay": 1e22, "schedule__warmup": 3},
    {"clip": files.choice("clip", "norm"), "batch_size": 7},
)


@pytest.mark.parametrize("changes", CHANGES)
def test_the_identity_is_the_hash_of_the_sorted_json(default, changes):
    run = validate(changed(default, **changes))
    kept = {
        key: identity._identifying(key, value) if isinstance(value, dict) else value
        for key, value in run.config.items()
        if key not in UNIDENTIFYING
    }
    kept = {key: value for key, value in kept.items() if not (key in LATER_GROUPS and value == LATER_GROUPS[key])}
    kept |= {"data_checksum": run.facts.checksum, "arithmetic_version": identity.ARITHMETIC_VERSION}
    assert run.run_id == hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]
