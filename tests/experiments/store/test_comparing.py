import argparse
import json
import math
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiments import cli
from experiments.commands import merge
from experiments.compose.composition import compose, runs_of
from experiments.errors import UserError
from experiments.store.columns import TABLES
from experiments.store.comparing import Pair, differences
from experiments.store.reading import load
from experiments.sweep.restore import recorded_runs
from tests.experiments.helpers import TINY, sweep

PLACES = {"name": None, "results_dir": "results", "executor": {"_target_": "experiments.sweep.executors.serial.Serial", "name": "serial"}}
SWEPT = ("depth=2,3", "activation=leaky_relu,tanh", "clip=none,norm", "steps=2", "record.snapshot=1", "batch_size=20")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    sweep(folder, *SWEPT, name="whole")
    sweep(folder, *SWEPT[:1], "activation=leaky_relu", *SWEPT[2:], name="a")
    sweep(folder, "depth=2", *SWEPT[1:], name="b")
    return folder


@pytest.fixture
def whole(made, tmp_path):
    return shutil.copytree(made / "whole", tmp_path / "whole")


def nudged(folder, table, column, row, by=1):
    """Change one number of a table by some units in the last place."""
    path = folder / f"{table}.parquet"
    content = pq.read_table(path)
    values = content[column].to_numpy().copy()
    for _ in range(by):
        values[row] = np.nextafter(values[row], np.inf)
    place = content.column_names.index(column)
    pq.write_table(content.set_column(place, content.schema.field(column), pa.array(values)), path)


def set_values(folder, table, column, values):
    """Give the first run of a folder these values of a column, in its first rows; return the run."""
    path = folder / f"{table}.parquet"
    content = pq.read_table(path)
    place = content.column_names.index(column)
    changed = content[column].to_pylist()
    changed[: len(values)] = values
    pq.write_table(content.set_column(place, content.schema.field(column), pa.array(changed, content.schema.field(column).type)), path)
    run_id = content["run_id"][0].as_py()
    assert content["run_id"][len(values) - 1].as_py() == run_id
    return run_id


def answer(capsys, *arguments):
    code = cli.dispatch([str(argument) for argument in arguments])
    return code, capsys.readouterr().out


INF, NAN, PLACE = math.inf, math.nan, 2.0**-52


def test_what_cancels_is_measured_by_the_largest_value_of_its_run(made, whole):
    content = pq.read_table(whole / "layers.parquet")
    values = content["z_mean"].to_numpy().copy()
    row = int(np.nanargmin(np.abs(values)))
    values[row] += 1e-16
    place = content.column_names.index("z_mean")
    pq.write_table(content.set_column(place, "z_mean", pa.array(values)), whole / "layers.parquet")
    run_id = content["run_id"][row].as_py()
    (found,) = differences(made / "whole", whole, [Pair(run_id, run_id, "float64")])
    assert (found.column, found.values) == ("z_mean", 1)
    assert 0 < found.ulps < 100


@pytest.mark.parametrize(
    ("table", "column", "ours", "theirs", "size"),
    [
        ("layers", "z_mean", [INF, 2.0], [INF, -7.0], 9 / (2 * PLACE)),
        ("layers", "z_mean", [-INF, 2.0], [-INF, -7.0], 9 / (2 * PLACE)),
        ("layers", "a_mean", [INF, -INF], [-INF, -INF], INF),
        ("layers", "a_mean", [NAN, 2.0], [1.0, 2.0], INF),
        ("layers", "gradient_cosine", [1.0, 1.0], [INF, 1.0], INF),
        ("steps", "mode_1", [INF, 1.0], [INF, 1 + PLACE], 1),
        ("layers", "delta_norm", [INF, 1.0], [INF, 1 + PLACE], 1),
    ],
)
def test_an_infinity_hides_no_difference(made, tmp_path, table, column, ours, theirs, size):
    sides = [shutil.copytree(made / "whole", tmp_path / name) for name in ("ours", "theirs")]
    run_id = {set_values(side, table, column, values) for side, values in zip(sides, (ours, theirs), strict=True)}.pop()
    (found,) = differences(*sides, [Pair(run_id, run_id, "float64")])
    assert (found.column, found.values) == (column, 1)
    assert found.ulps == pytest.approx(size, rel=1e-12)


def test_an_infinity_in_a_snapshot_hides_no_difference(made, tmp_path):
    sides = [shutil.copytree(made / "whole", tmp_path / name) for name in ("ours", "theirs")]
    path = next(sides[0].glob("snapshot_*.npz"))
    for side, value in zip(sides, (2.0, -7.0), strict=True):
        with np.load(path) as arrays:
            changed = {name: arrays[name] for name in arrays.files}
        changed["z1"][0, :2] = INF, value
        np.savez(side / path.name, **changed)
    run_id = path.stem.removeprefix("snapshot_")
    (found,) = differences(*sides, [Pair(run_id, run_id, "float64")])
    assert (found.table, found.column, found.values) == ("snapshots", "z1", 1)
    assert found.ulps >= 1 / PLACE


@pytest.mark.parametrize("lost", ["word", "snapshot", "array"])
def test_what_is_no_number_has_no_size_that_a_bound_could_excuse(whole, made, lost):
    run_ids = load(whole).runs["run_id"].tolist()
    if lost == "word":
        set_values(whole, "runs", "verdict", [None])
    else:
        path = whole / f"snapshot_{run_ids[0]}.npz"
        with np.load(path) as arrays:
            kept = {name: arrays[name] for name in arrays.files if name != "W1"}
        path.unlink()
        if lost == "array":
            np.savez(path, **kept)
    (found,) = differences(made / "whole", whole, [Pair(run_id, run_id, "float64") for run_id in run_ids])
    assert math.isnan(found.ulps)
    assert "ULP" not in str(found)


def test_what_has_no_size_outweighs_every_size_in_either_order(whole, made):
    run_ids = load(whole).runs["run_id"].tolist()
    for run_id, value in zip(run_ids[:2], (None, NAN), strict=True):
        with np.load(whole / f"snapshot_{run_id}.npz") as arrays:
            changed = {name: arrays[name] for name in arrays.files if name != "W1" or value is not None}
        if value is not None:
            changed["W1"][0, 0] = value
        np.savez(whole / f"snapshot_{run_id}.npz", **changed)
    for order in (run_ids, run_ids[::-1]):
        (found,) = differences(made / "whole", whole, [Pair(run_id, run_id, "float64") for run_id in order])
        assert (found.column, found.run_id, found.values) == ("W1", run_ids[0], 2)
        assert math.isnan(found.ulps)


class TestRecorded:
    def test_every_run_comes_back_with_its_identity(self, made):
        runs = recorded_runs(made / "whole", PLACES)
        composed, _ = runs_of(compose(["--multirun"], [*TINY, f"results_dir={made}", "name=whole", *SWEPT]))
        assert [run.run_id for run in runs] == load(made / "whole").runs["run_id"].tolist() == [run.run_id for run in composed]
        for run, original in zip(runs, composed, strict=True):
            assert {**run.config, **PLACES} == {**original.config, **PLACES}
            assert run.overrides == original.overrides

    def test_other_data_are_named(self, whole):
        provenance = json.loads((whole / "provenance.json").read_text())
        path = whole / "runs.parquet"
        runs = pq.read_table(path)
        place = runs.column_names.index("run_id")
        pq.write_table(runs.set_column(place, "run_id", pa.array([f"{i:016x}" for i in range(len(runs))])), path)
        provenance["data"][0]["sha256"] = "0" * 64
        (whole / "provenance.json").write_text(json.dumps(provenance))
        with pytest.raises(UserError, match=rf"had other data: data=digits has the checksum .*recorded is {'0' * 64}") as caught:
            recorded_runs(whole, PLACES)
        assert "\n" not in str(caught.value)

    def test_an_altered_config_is_refused(self, whole):
        nudged(whole, "runs", "lr", 0)
        with pytest.raises(UserError, match="its identity comes out differently"):
            recorded_runs(whole, PLACES)

    def test_a_sweep_is_repeated_from_its_record_alone(self, made, tmp_path, capsys):
        arguments = ("run", "--from", made / "whole", f"results_dir={tmp_path}", "name=again", "executor=serial")
        code, _ = answer(capsys, *arguments)
        assert code == 0
        for name in ("runs", *TABLES):
            assert (tmp_path / "again" / f"{name}.parquet").read_bytes() == (made / "whole" / f"{name}.parquet").read_bytes()
        with pytest.raises(UserError, match="only name, results_dir, executor can be given, got depth=3"):
            answer(capsys, *arguments, "depth=3")


class TestVerify:
    def test_the_same_bits(self, made, capsys):
        code, out = answer(capsys, "verify", made / "whole")
        assert (code, out.splitlines()[-1]) == (0, f"{made / 'whole'}: 8 runs made again, every bit the same")

    @pytest.mark.parametrize(("table", "column"), [("layers", "delta_norm"), ("steps", "loss"), ("runs", "final_loss")])
    def test_one_unit_in_the_last_place_is_found(self, whole, one_core, capsys, table, column):
        nudged(whole, table, column, 3)
        code, out = answer(capsys, "verify", whole)
        assert code == 1
        assert f"{table}.{column}: 1 of " in out
        assert "by at most 1 ULP" in out

    def test_a_changed_snapshot_is_found(self, whole, one_core, capsys):
        path = next(whole.glob("snapshot_*.npz"))
        with np.load(path) as arrays:
            changed = {name: arrays[name] for name in arrays.files}
        changed["W1"] = changed["W1"] * (1 + 2**-52)
        np.savez(path, **changed)
        code, out = answer(capsys, "verify", whole, "--json")
        assert code == 1
        assert [entry["column"] for entry in json.loads(out)["differences"]] == ["W1"]

    @pytest.mark.slow
    def test_another_machine_is_given_room_but_not_more(self, whole, capsys):
        provenance = json.loads((whole / "provenance.json").read_text())
        provenance["versions"]["numpy"] = "1.0.0"
        (whole / "provenance.json").write_text(json.dumps(provenance))
        nudged(whole, "layers", "delta_norm", 3, by=5)
        assert answer(capsys, "verify", whole)[0] == 0
        code, out = answer(capsys, "verify", whole, "--max-ulps", "4")
        assert code == 1
        assert "by at most 5 ULP" in out

    def test_a_sample(self, made, one_core, capsys):
        code, out = answer(capsys, "verify", made / "whole", "--sample", 3, "--json")
        assert (code, json.loads(out)["runs"], json.loads(out)["differences"]) == (0, 3, [])


class TestMerge:
    def test_shared_runs_are_taken_once(self, made, one_core, tmp_path, capsys):
        code, _ = answer(capsys, "merge", made / "a", made / "b", "--output", tmp_path / "both")
        both, whole = load(tmp_path / "both"), load(made / "whole")
        assert code == 0
        assert set(both.runs["run_id"]) < set(whole.runs["run_id"])
        assert len(both.runs) == 6
        assert both.runs["job"].tolist() == [0, 1, 2, 3, 4, 5]
        pairs = [Pair(run_id, run_id, "float64") for run_id in both.runs["run_id"]]
        assert differences(tmp_path / "both", made / "whole", pairs) == []
        assert [entry["run_id"] for entry in both.provenance["sweep"]] == both.runs["run_id"].tolist()
        assert len(both.provenance["made_by"]) == 2
        assert answer(capsys, "verify", tmp_path / "both")[0] == 0

    def test_conflicts_are_named_and_nothing_is_written(self, made, whole, tmp_path, capsys):
        nudged(whole, "layers", "delta_norm", 3)
        code = merge.execute(argparse.Namespace(folders=[str(made / "a"), str(whole)], output=str(tmp_path / "both")))
        err = capsys.readouterr().err
        assert code == 1
        run_id = load(whole).runs["run_id"].iloc[0]
        assert f"conflict: run {run_id}" in err
        assert "layers.delta_norm: 1 of" in err
        assert not (tmp_path / "both").exists()
