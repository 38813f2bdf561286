"""From tables and provenance back to runs: here of keys that hold lists; the rest is seen from `run --from` and `verify`."""

from pathlib import Path

from experiments.config.files import choice
from experiments.sweep.restore import recorded_runs
from tests.experiments.datasets.tables import flats
from tests.experiments.helpers import sweep


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
