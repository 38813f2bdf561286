import argparse
import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from experiments import cli, executors, store
from experiments.commands import merge
from experiments.errors import UserError
from experiments.recorded import recorded_jobs
from experiments.verification import Pair, differences, ulps
from tests.experiments.helpers import sweep

PLACES = {"name": None, "results_dir": "results", "executor": {"_target_": "experiments.executors.serial", "name": "serial"}}
SWEPT = ("depth=2,3", "activation=leaky_relu,tanh", "clip=none,norm", "steps=2", "record.snapshot=1", "batch_size=20")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    sweep(folder, *SWEPT, name="whole")
    sweep(folder, *SWEPT[:1], "activation=leaky_relu", *SWEPT[2:], name="a")
    sweep(folder, "depth=2", *SWEPT[1:], name="b")
    return folder


@pytest.fixture
def one_core(monkeypatch):
    """Have `verify` run in this process, as it does on one core; `test_the_same_bits` has it start workers."""
    monkeypatch.setattr(executors, "_cores", lambda: 1)


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


def answer(capsys, *arguments):
    code = cli.dispatch([str(argument) for argument in arguments])
    return code, capsys.readouterr().out


class TestUlps:
    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    def test_neighbors_are_one_apart_also_across_zero(self, dtype):
        tiny = np.nextafter(dtype(0), dtype(1))
        a = np.array([1, -1, 0, -tiny, np.nan, np.nan, 1e30, -0.0], dtype)
        b = np.array([np.nextafter(dtype(1), dtype(2)), -1, tiny, tiny, np.nan, 1, np.nextafter(dtype(1e30), dtype(0)), 0], dtype)
        assert ulps(a, b).tolist() == [1, 0, 1, 2, 0, np.inf, 1, 0]

    def test_one_is_still_seen_at_the_far_end(self):
        assert ulps(np.array([1.7e308]), np.nextafter(np.array([1.7e308]), 0)).tolist() == [1]


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


class TestRecorded:
    def test_every_job_comes_back_with_its_identity(self, made):
        jobs = recorded_jobs(made / "whole", PLACES)
        assert [job.run_id for job in jobs] == store.load(made / "whole").runs["run_id"].tolist()
        assert all(job.config["activation"]["_target_"].startswith("bpcore.activations.") for job in jobs)

    def test_other_data_are_named(self, whole):
        provenance = json.loads((whole / "provenance.json").read_text())
        path = whole / "runs.parquet"
        runs = pq.read_table(path)
        place = runs.column_names.index("run_id")
        pq.write_table(runs.set_column(place, "run_id", pa.array([f"{i:016x}" for i in range(len(runs))])), path)
        provenance["data"][0]["sha256"] = "0" * 64
        (whole / "provenance.json").write_text(json.dumps(provenance))
        with pytest.raises(UserError, match=rf"had other data: data=digits has the checksum .*recorded is {'0' * 64}") as caught:
            recorded_jobs(whole, PLACES)
        assert "\n" not in str(caught.value)

    def test_an_altered_config_is_refused(self, whole):
        nudged(whole, "runs", "lr", 0)
        with pytest.raises(UserError, match="its identity comes out differently"):
            recorded_jobs(whole, PLACES)

    def test_a_sweep_is_repeated_from_its_record_alone(self, made, tmp_path, capsys):
        arguments = ("run", "--from", made / "whole", f"results_dir={tmp_path}", "name=again", "executor=serial")
        code, _ = answer(capsys, *arguments)
        assert code == 0
        for name in ("runs", *store.TABLES):
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
        both, whole = store.load(tmp_path / "both"), store.load(made / "whole")
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
        run_id = store.load(whole).runs["run_id"].iloc[0]
        assert f"conflict: run {run_id}" in err
        assert "layers.delta_norm: 1 of" in err
        assert not (tmp_path / "both").exists()
