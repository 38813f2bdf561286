"""Configs come back from the record alone, also from that of the first edition, whose factories have moved."""

import json
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from bpcore import activations
from experiments.cli import main
from experiments.config.files import choice
from experiments.errors import UserError
from experiments.store.provenance import factories
from experiments.store.reading import load, read_provenance
from experiments.sweep.restore import recorded_runs
from tests.experiments.datasets.tables import flats
from tests.experiments.helpers import TINY, sweep

PLACES = {"name": "again", "results_dir": "results", "executor": choice("executor", "serial")}

FIRST_EDITION = {
    "activation": {"tanh": "bpcore.activations.tanh", "relu": "bpcore.activations.relu"},
    "data": {"digits": "experiments.datasets.digits"},
    "loss": {"softmax_cross_entropy": "bpcore.losses.softmax_cross_entropy"},
}
"""Paths as version 3 recorded them; that of the digits is no factory any more."""


def rewritten(folder, **changes):
    provenance = read_provenance(folder / "provenance.json")
    (folder / "provenance.json").write_text(json.dumps({**provenance, **changes}))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("restore")
    sweep(root, "depth=2", "steps=2", "activation=tanh,relu", name="whole")
    return root / "whole"


@pytest.fixture
def old(made, tmp_path):
    folder = shutil.copytree(made, tmp_path / "old")
    rewritten(folder, arithmetic_version=3, targets=FIRST_EDITION)
    return folder


def test_the_record_names_no_factory_of_the_package(made):
    assert read_provenance(made / "provenance.json")["targets"] == {}


def test_a_record_of_the_first_edition_comes_back(old, made):
    runs = recorded_runs(old, PLACES)
    assert [run.choice("activation") for run in runs] == ["tanh", "relu"]
    assert [run.run_id for run in runs] == load(made).runs["run_id"].tolist()


@pytest.mark.usefixtures("one_core")
def test_a_record_of_the_first_edition_is_verified_reported_and_repeated(old, tmp_path, capsys):
    assert main(["verify", str(old)]) == 0
    out, err = capsys.readouterr()
    assert "2 runs made again, every bit the same" in out
    assert "of version 3 of the core's arithmetic" in err
    assert main(["report", str(old), "--formats", "svg"]) == 0
    assert main(["run", "--from", str(old), f"results_dir={tmp_path}", "name=again", "executor=serial"]) == 0
    assert read_provenance(tmp_path / "again" / "provenance.json")["targets"] == {}


def test_what_extends_a_record_of_the_first_edition_drops_its_paths(old, tmp_path):
    words = [*TINY, f"results_dir={tmp_path}", "name=old", "depth=3", "steps=2"]
    assert main(["run", *words]) == 2
    assert main(["run", *words, "--extend"]) == 0
    assert read_provenance(old / "provenance.json")["targets"] == {}
    assert len(load(old).runs) == 3


def test_the_same_paths_in_a_record_of_today_are_meant(old):
    rewritten(old, arithmetic_version=4)
    with pytest.raises(UserError, match=r"`data\._target_` must be the dotted path of a factory, got 'experiments\.datasets\.digits'"):
        recorded_runs(old, PLACES)


def test_which_factories_are_from_elsewhere():
    targets = {"activation": {"own": "bpcore.activations.tanh", "tanh": "mine.tanh", "relu": "bpcore.activations.relu"}}
    kept = {"activation": {"own": "bpcore.activations.tanh", "tanh": "mine.tanh"}}
    assert factories({"arithmetic_version": 3, "targets": targets}) == kept
    assert factories({"arithmetic_version": 4, "targets": targets}) == targets
    assert factories({}) == {}


def test_a_factory_from_elsewhere_is_recorded_and_comes_back(tmp_path, monkeypatch, capsys):
    module = ModuleType("mine")
    module.bend = activations.softplus
    monkeypatch.setitem(sys.modules, "mine", module)
    (tmp_path / "conf" / "activation").mkdir(parents=True)
    (tmp_path / "conf" / "activation" / "own.yaml").write_text("_target_: mine.bend\nname: own\n")
    words = [*TINY, f"results_dir={tmp_path}", "name=own", "depth=2", "steps=1", "activation=own"]
    assert main(["run", "--config-dir", str(tmp_path / "conf"), *words]) == 0
    assert read_provenance(tmp_path / "own" / "provenance.json")["targets"] == {"activation": {"own": "mine.bend"}}
    (run,) = recorded_runs(tmp_path / "own", PLACES)
    assert run.run_id == load(tmp_path / "own").runs["run_id"].item()
    assert run.activation.name == "softplus"


def test_lists_are_one_cell_and_come_back_as_lists(tmp_path: Path) -> None:
    data = ["data=table", f"data.path={flats(tmp_path)}", "loss=mse", "data.standardize_target=true"]
    made = sweep(tmp_path, *data, "data.target=[price,rooms],price", "data.features=[kind,area],null", "steps=1", "depth=2")
    assert sorted(made.runs["data.target"]) == ['["price", "rooms"]', '["price", "rooms"]', "price", "price"]
    assert made.runs["data.features"].dropna().tolist() == ['["kind", "area"]'] * 2
    places = {"name": "again", "results_dir": str(tmp_path), "executor": choice("executor", "serial")}
    again = recorded_runs(made.path, places)
    assert [run.run_id for run in again] == made.runs["run_id"].tolist()
    wanted = [(["price", "rooms"], ["kind", "area"]), (["price", "rooms"], None), ("price", ["kind", "area"]), ("price", None)]
    assert [(run.config["data"]["target"], run.config["data"]["features"]) for run in again] == wanted
