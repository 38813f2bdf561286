import functools
import os
import signal
from dataclasses import dataclass, replace

import pandas as pd
import pytest

from experiments.compose.composition import compose, runs_of
from experiments.config.run import Run
from experiments.errors import UserError
from experiments.store.columns import TABLES
from experiments.store.files import Staging
from experiments.store.provenance import differs
from experiments.store.reading import load
from experiments.sweep import execution, keeping
from experiments.sweep.execution import execute
from experiments.sweep.executors.serial import Here, Serial
from experiments.sweep.plan import plan
from experiments.sweep.tile import run_tile
from tests.experiments.helpers import TINY, sweep
from tests.experiments.sweep import deaths


@functools.cache
def _composed(overrides):
    return compose(["--multirun"], [*TINY, "name=x", "steps=2", *overrides])


def runs_for(folder, *overrides):
    placed = [replace(entry, config={**entry.config, "results_dir": str(folder)}) for entry in _composed(overrides)]
    return runs_of(placed)[0]


def same_tables(a, b):
    return all((a / f"{name}.parquet").read_bytes() == (b / f"{name}.parquet").read_bytes() for name in ("runs", *TABLES))


@pytest.mark.parametrize("key", ["name", "results_dir", "numerics", "executor"])
def test_a_sweep_over_the_place_is_refused(tmp_path, key):
    values = {"numerics": "native,portable", "executor": "serial,processes"}.get(key, "a,b")
    with pytest.raises(UserError, match=f"`{key}` must be the same"):
        runs_of(compose(["--multirun"], [f"{key}={values}"]))


def test_workers_and_this_process_give_the_same_bytes(tmp_path):
    overrides = ["seed=0,1,2", "activation=tanh,relu", "steps=3", "batch_size=20"]
    here = sweep(tmp_path, *overrides, name="here")
    there = sweep(tmp_path, *overrides, "executor=processes", "executor.max_workers=2", name="there")
    assert same_tables(here.path, there.path)


class TestResuming:
    def test_what_is_done_is_skipped(self, tmp_path):
        runs = runs_for(tmp_path, "seed=0,1")
        execute(plan(runs, tmp_path / "x"), ["test"], progress=False)
        again = plan(runs, tmp_path / "x")
        assert again.todo == []
        tables, _ = execute(again, ["test"], progress=False)
        assert len(tables.runs) == 2

    def test_an_interrupted_sweep_ends_in_the_same_bytes(self, tmp_path, monkeypatch):
        runs = runs_for(tmp_path, "depth=2,3", "seed=0,1")  # two tiles
        execute(plan(runs, tmp_path / "whole"), ["test"], progress=False)
        real, calls = keeping.run_tile, []

        def interrupted(runs: list[Run], on_step=None):
            calls.append(runs)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return real(runs)

        monkeypatch.setattr(keeping, "run_tile", interrupted)
        tables, was_interrupted = execute(plan(runs, tmp_path / "x"), ["test"], progress=False)
        assert was_interrupted
        assert tables.runs["job"].tolist() == [0, 1]
        monkeypatch.setattr(keeping, "run_tile", real)
        resumed = plan(runs, tmp_path / "x")
        assert [run.index for run in resumed.todo] == [2, 3]
        execute(resumed, ["test"], progress=False)
        assert same_tables(tmp_path / "x", tmp_path / "whole")

    def test_an_interrupt_before_the_first_run_leaves_nothing(self, tmp_path, monkeypatch):
        def interrupted(runs: list[Run], on_step=None):
            raise KeyboardInterrupt

        monkeypatch.setattr(keeping, "run_tile", interrupted)
        with pytest.raises(KeyboardInterrupt):
            execute(plan(runs_for(tmp_path, "seed=0"), tmp_path / "x"), ["test"], progress=False)
        assert not (tmp_path / "x").exists()

    def test_another_sweep_under_the_name_is_refused(self, tmp_path):
        execute(plan(runs_for(tmp_path, "seed=0,1"), tmp_path / "x"), ["test"], progress=False)
        with pytest.raises(UserError, match=r"holds another sweep.*--extend.*--fresh"):
            plan(runs_for(tmp_path, "seed=0,2"), tmp_path / "x")

    def test_fresh_replaces(self, tmp_path):
        execute(plan(runs_for(tmp_path, "seed=0,1"), tmp_path / "x"), ["test"], progress=False)
        execute(plan(runs_for(tmp_path, "seed=5"), tmp_path / "x", fresh=True), ["test"], progress=False)
        assert load(tmp_path / "x").runs["seed"].tolist() == [5]

    def test_an_interrupted_fresh_keeps_the_old(self, tmp_path, monkeypatch):
        execute(plan(runs_for(tmp_path, "seed=0,1"), tmp_path / "x"), ["test"], progress=False)
        before = {path.name: path.read_bytes() for path in (tmp_path / "x").iterdir()}
        real = keeping.run_tile

        def interrupted(runs: list[Run], on_step=None):
            if runs[0].depth == 3:
                raise KeyboardInterrupt
            return real(runs)

        monkeypatch.setattr(keeping, "run_tile", interrupted)
        with pytest.raises(KeyboardInterrupt):
            execute(plan(runs_for(tmp_path, "depth=2,3"), tmp_path / "x", fresh=True), ["test"], progress=False)
        assert {path.name: path.read_bytes() for path in (tmp_path / "x").iterdir()} == before

    def test_fresh_removes_snapshots_of_what_it_replaces(self, tmp_path):
        execute(plan(runs_for(tmp_path, "seed=0", "record.snapshot=0"), tmp_path / "x"), ["test"], progress=False)
        execute(plan(runs_for(tmp_path, "seed=1"), tmp_path / "x", fresh=True), ["test"], progress=False)
        assert list((tmp_path / "x").glob("snapshot_*")) == []

    @pytest.mark.parametrize("table", ["provenance.json", "histograms.parquet", "layers.parquet", "steps.parquet", "runs.parquet"])
    def test_a_disk_that_fills_up_keeps_the_old(self, tmp_path, monkeypatch, table):
        execute(plan(runs_for(tmp_path, "seed=0,1"), tmp_path / "x"), ["test"], progress=False)
        before = {path.name: path.read_bytes() for path in (tmp_path / "x").iterdir()}
        real = Staging.add

        def full(self, name, write):
            def fail(path):
                raise OSError(28, "No space left on device")

            real(self, name, fail if name == table else write)

        monkeypatch.setattr(Staging, "add", full)
        runs = runs_for(tmp_path, "seed=5")
        with pytest.raises(UserError, match="No space left on device"):
            execute(plan(runs, tmp_path / "x", fresh=True), ["test"], progress=False)
        assert {path.name: path.read_bytes() for path in (tmp_path / "x").iterdir() if path.is_file()} == before
        monkeypatch.undo()
        again = plan(runs, tmp_path / "x", fresh=True)
        assert again.todo == []  # its part outlives what became of the tables
        execute(again, ["test"], progress=False)
        assert load(tmp_path / "x").runs["seed"].tolist() == [5]
        assert {path.name for path in (tmp_path / "x").iterdir()} == before.keys()

    def test_a_process_killed_while_the_files_get_their_names_loses_no_run(self, tmp_path, monkeypatch):
        """Killed after provenance, histograms and layers are new but steps and runs are old: the same command mends it."""
        execute(plan(runs_for(tmp_path, "seed=5,6"), tmp_path / "whole"), ["test"], progress=False)
        execute(plan(runs_for(tmp_path, "seed=0,5"), tmp_path / "x"), ["test"], progress=False)
        for name in ("provenance.json", "histograms.parquet", "layers.parquet"):
            (tmp_path / "x" / name).write_bytes((tmp_path / "whole" / name).read_bytes())
        execute(plan(runs_for(tmp_path, "seed=5,6"), tmp_path / "x"), ["test"], progress=False)
        assert same_tables(tmp_path / "x", tmp_path / "whole")

    def test_what_a_killed_process_left_half_written_is_no_obstacle(self, tmp_path):
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / ".layers.parquet.123.tmp").write_bytes(b"half")
        execute(plan(runs_for(tmp_path, "seed=0"), tmp_path / "x"), ["test"], progress=False)
        assert load(tmp_path / "x").runs["seed"].tolist() == [0]

    def test_repeating_a_finished_command_writes_nothing(self, tmp_path):
        runs = runs_for(tmp_path, "seed=0,1")
        execute(plan(runs, tmp_path / "x"), ["first"], progress=False)
        before = (tmp_path / "x" / "provenance.json").read_bytes()
        execute(plan(runs, tmp_path / "x"), ["second"], progress=False)
        assert (tmp_path / "x" / "provenance.json").read_bytes() == before

    def test_provenance_names_every_maker(self, tmp_path):
        execute(plan(runs_for(tmp_path, "seed=0,1"), tmp_path / "x"), ["first"], progress=False)
        execute(plan(runs_for(tmp_path, "seed=2"), tmp_path / "x", extend=True), ["second"], progress=False)
        provenance = load(tmp_path / "x").provenance
        assert [(part["command"], part["runs"]) for part in provenance["made_by"]] == [("first", 2), ("second", 1)]
        assert provenance["wall_seconds"] == pytest.approx(sum(part["wall_seconds"] for part in provenance["made_by"]), abs=0.01)

    def test_another_numpy_is_told_apart(self, tmp_path):
        execute(plan(runs_for(tmp_path, "seed=0"), tmp_path / "x"), ["test"], progress=False)
        provenance = load(tmp_path / "x").provenance
        assert differs(provenance) is None
        provenance["versions"]["numpy"] = "1.0.0"
        assert "numpy 1.0.0" in differs(provenance)

    def test_a_run_that_diverged_before_its_snapshot_is_finished(self, tmp_path):
        runs = runs_for(tmp_path, "activation=relu", "init.scale=1e150", "record.snapshot=2")
        execute(plan(runs, tmp_path / "x"), ["test"], progress=False)
        assert load(tmp_path / "x").runs["status"].tolist() == ["diverged"]
        assert plan(runs, tmp_path / "x").todo == []

    def test_extend_adds_behind(self, tmp_path):
        execute(plan(runs_for(tmp_path, "seed=0,1"), tmp_path / "x"), ["test"], progress=False)
        execute(plan(runs_for(tmp_path, "seed=1,2"), tmp_path / "x", extend=True), ["test"], progress=False)
        results = load(tmp_path / "x")
        assert results.runs["seed"].tolist() == [0, 1, 2]
        assert results.runs["job"].tolist() == [0, 1, 2]
        assert [entry["run_id"] for entry in results.provenance["sweep"]] == results.runs["run_id"].tolist()

    def test_a_lost_snapshot_is_made_again(self, tmp_path):
        runs = runs_for(tmp_path, "seed=0,1", "record.snapshot=1")
        execute(plan(runs, tmp_path / "x"), ["test"], progress=False)
        lost = tmp_path / "x" / f"snapshot_{runs[1].run_id}.npz"
        lost.unlink()
        again = plan(runs, tmp_path / "x")
        assert again.todo == [runs[1]]
        execute(again, ["test"], progress=False)
        assert lost.is_file()


def _fails_on_seed_1(runs: list[Run], on_step=None):
    if any(run.seed == 1 for run in runs):
        raise MemoryError("too large")
    return run_tile(runs)


class TestFailures:
    def test_a_failed_run_has_its_row_and_the_others_finish(self, tmp_path, monkeypatch):
        monkeypatch.setattr(keeping, "run_tile", _fails_on_seed_1)
        runs = runs_for(tmp_path, "seed=0,1,2")
        execute(plan(runs, tmp_path / "x"), ["test"], progress=False)
        runs = load(tmp_path / "x").runs
        assert runs["status"].tolist() == ["ok", "failed", "ok"]
        error = runs["error"].iloc[1]
        assert error.startswith("MemoryError: too large")
        assert "Traceback" in error
        assert pd.isna(runs["error"].iloc[0])

    def test_a_failed_run_is_tried_again_by_the_same_command(self, tmp_path, monkeypatch):
        monkeypatch.setattr(keeping, "run_tile", _fails_on_seed_1)
        runs = runs_for(tmp_path, "seed=0,1")
        execute(plan(runs, tmp_path / "x"), ["test"], progress=False)
        monkeypatch.undo()
        again = plan(runs, tmp_path / "x")
        assert again.todo == [runs[1]]
        execute(again, ["test"], progress=False)
        assert set(load(tmp_path / "x").runs["status"]) == {"ok"}

    def test_a_run_that_kills_its_worker_costs_itself_only(self, tmp_path, monkeypatch):
        monkeypatch.setattr(keeping, "run_tile", deaths.on_seed_1)
        runs = runs_for(tmp_path, "depth=2,3", "seed=0,1,2", "executor=processes", "executor.max_workers=2")
        execute(plan(runs, tmp_path / "x"), ["test"], progress=False)
        runs = load(tmp_path / "x").runs
        assert runs["status"].tolist() == ["ok", "failed", "ok"] * 2
        assert runs.loc[runs["status"] == "failed", "error"].str.startswith("lost twice: its worker process died").all()


@dataclass(frozen=True)
class _KeepAndDie(execution.Keep):
    def __call__(self, compute, *args):
        super().__call__(compute, *args)
        with (self.folder.parent.parent / "written").open("a") as file:
            file.write(f"{len(args[0])} ")
        os.kill(os.getpid(), signal.SIGKILL)


class _HearsayCrew(Here):
    """Say of the first task that it is finished, without having done it."""

    def submit(self, task):
        self.first = getattr(self, "first", task)
        super().submit(replace(task, function=len, arguments=((),)) if task is self.first else task)

    def wait(self):
        return [replace(ending, task=self.first) if ending.task.name == self.first.name else ending for ending in super().wait()]


class _Hearsay(Serial):
    def start(self, tasks):
        return _HearsayCrew()


class TestPartsAreTrustedAndNothingElse:
    def test_what_a_worker_left_before_it_died_counts(self, tmp_path, monkeypatch):
        monkeypatch.setattr(execution, "Keep", _KeepAndDie)
        runs = runs_for(tmp_path, "depth=2,3", "seed=0,1", "executor=processes", "executor.max_workers=2")
        execute(plan(runs, tmp_path / "x"), ["test"], progress=False)
        assert load(tmp_path / "x").runs["status"].tolist() == ["ok"] * 4
        assert (tmp_path / "written").read_text().split() == ["2", "2"]  # no run was computed twice

    def test_a_tile_that_is_said_to_be_finished_but_left_nothing_is_made_again(self, tmp_path):
        runs = runs_for(tmp_path, "depth=2,3", "seed=0,1")
        execute(plan(runs, tmp_path / "whole"), ["test"], progress=False)
        hearsay = {"_target_": f"{__name__}._Hearsay", "name": "hearsay"}
        runs = [replace(run, config={**run.config, "executor": hearsay}) for run in runs]
        execute(plan(runs, tmp_path / "x"), ["test"], progress=False)
        assert same_tables(tmp_path / "x", tmp_path / "whole")


class TestPlaces:
    def test_a_folder_of_something_else_is_left_alone(self, tmp_path):
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "thesis.txt").write_text("mine")
        with pytest.raises(UserError, match="is no results folder"):
            execute(plan(runs_for(tmp_path, "seed=0"), tmp_path / "x"), ["test"], progress=False)
        assert [path.name for path in (tmp_path / "x").iterdir()] == ["thesis.txt"]

    def test_a_file_in_the_way(self, tmp_path):
        (tmp_path / "x").write_text("")
        with pytest.raises(UserError, match="is a file"):
            execute(plan(runs_for(tmp_path, "seed=0"), tmp_path / "x"), ["test"], progress=False)

    def test_a_parent_that_is_a_file(self, tmp_path):
        (tmp_path / "parent").write_text("")
        with pytest.raises(UserError, match=r"cannot write to .*choose another results_dir"):
            execute(plan(runs_for(tmp_path, "seed=0"), tmp_path / "parent" / "x"), ["test"], progress=False)
