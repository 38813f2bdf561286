"""Real faults: whatever happens to a sweep, the same command ends in the bytes of one that nobody disturbed."""

import contextlib
import functools
import itertools
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.compose.composition import compose, runs_of
from experiments.config.run import Run
from experiments.errors import UserError
from experiments.store.reading import load
from experiments.sweep import keeping
from experiments.sweep.execution import execute
from experiments.sweep.plan import plan
from experiments.sweep.tile import run_tile
from tests.experiments.helpers import TINY
from tests.experiments.sweep import deaths
from tests.faults.kill_sweep import content, torment
from tests.processes import environment, run, started


@functools.cache
def _composed(overrides):
    return compose(["--multirun"], [*TINY, "name=x", "steps=2", *overrides])


def runs_for(folder, *overrides, executor=None):
    runs, _ = runs_of([replace(entry, config={**entry.config, "results_dir": str(folder)}) for entry in _composed(overrides)])
    if executor is not None:
        runs = [replace(run, config={**run.config, "executor": executor}) for run in runs]
    return runs


WHOLE = ("depth=2,3", "seed=0,1", "record.snapshot=0")
PART = ("depth=2", "seed=0,1", "record.snapshot=0")
WORKERS = {"_target_": "experiments.sweep.executors.processes.Processes", "name": "processes", "max_workers": 2}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    execute(plan(runs_for(folder, *WHOLE), folder / "whole"), ["test"], progress=False)
    execute(plan(runs_for(folder, *PART), folder / "part"), ["test"], progress=False)
    return folder


def _die_at(moment: int) -> None:
    """Let this process end, as by SIGKILL, at the given change of the file system."""
    left = [moment]

    def counted(real):
        def change(*args, **kwargs):
            left[0] -= 1
            if left[0] == 0:
                os._exit(9)
            return real(*args, **kwargs)

        return change

    for holder, name in ((os, "fsync"), (Path, "replace"), (Path, "unlink"), (Path, "mkdir"), (os, "rmdir"), (os, "unlink")):
        setattr(holder, name, counted(getattr(holder, name)))


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize(
    ("mode", "first", "step"),
    [
        ("plain", 1, 6),
        ("extend", 3, 6),
        ("fresh", 5, 6),
        *(pytest.param(mode, 1, 1, marks=pytest.mark.slow, id=f"{mode}, all") for mode in ("plain", "extend", "fresh")),
    ],
)
def test_killed_at_a_change_of_the_file_system(tmp_path, undisturbed, mode, first, step):
    runs, expected = runs_for(tmp_path, *WHOLE), content(undisturbed / "whole")
    flags = {} if mode == "plain" else {mode: True}
    for moment in itertools.count(first, step):
        folder = tmp_path / f"killed-{moment}"
        if mode != "plain":
            shutil.copytree(undisturbed / "part", folder)
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                _die_at(moment)
                execute(plan(runs, folder, **flags), ["test"], progress=False)
                os._exit(0)
            os._exit(1)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        assert code in (0, 9), moment
        if (folder / "runs.parquet").is_file():
            load(folder)  # whatever stands there can be read
        execute(plan(runs, folder, **flags), ["test"], progress=False)
        assert content(folder) == expected, moment
        shutil.rmtree(folder)
        if code == 0:
            break
    assert moment > 20  # the parts, their folder, the manifest, the tables


def _fails_together(runs: list[Run], on_step=None):
    if len(runs) > 1:
        raise MemoryError("too large")
    return run_tile(runs)


@pytest.mark.parametrize(("function", "executor"), [(deaths.once_at_depth_3, WORKERS), (_fails_together, None)], ids=["killed", "raises"])
def test_a_lost_tile_is_made_again_run_by_run(tmp_path, undisturbed, monkeypatch, function, executor):
    monkeypatch.setattr(keeping, "run_tile", function)
    execute(plan(runs_for(tmp_path, *WHOLE, executor=executor), tmp_path / "x"), ["test"], progress=False)
    assert content(tmp_path / "x") == content(undisturbed / "whole")


def interrupted_after_one_tile(folder, monkeypatch, *overrides):
    """Begin a sweep and end it as a kill would, after its first tile."""

    def once(runs: list[Run], on_step=None):
        if list((folder / "parts").glob("*.part")):
            raise SystemExit
        return run_tile(runs)

    with monkeypatch.context() as patch:
        patch.setattr(keeping, "run_tile", once)
        with pytest.raises(SystemExit):
            execute(plan(runs_for(folder.parent, *overrides), folder), ["test"], progress=False)
    (part,) = (folder / "parts").glob("*.part")
    return part


@pytest.mark.parametrize("damage", ["cut", "bit", "snapshot", "manifest"])
def test_a_damaged_part_is_told_and_made_again(tmp_path, undisturbed, monkeypatch, capsys, damage):
    folder = tmp_path / "x"
    part = interrupted_after_one_tile(folder, monkeypatch, *WHOLE)
    if damage == "cut":
        part.write_bytes(part.read_bytes()[:-100])
    elif damage == "bit":
        raw = bytearray(part.read_bytes())
        raw[len(raw) // 2] ^= 4
        part.write_bytes(raw)
    elif damage == "snapshot":
        next((folder / "parts").glob("snapshot_*")).write_bytes(b"PK")
    else:
        (folder / "parts" / "sweep.json").write_text("{")
    again = plan(runs_for(tmp_path, *WHOLE), folder)
    assert len(again.todo) == 4
    execute(again, ["test"], progress=False)
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "damaged" in err
    assert "its runs are run again" in err
    assert content(folder) == content(undisturbed / "whole")


def test_a_whole_part_is_not_made_again(tmp_path, undisturbed, monkeypatch):
    interrupted_after_one_tile(tmp_path / "x", monkeypatch, *WHOLE)
    again = plan(runs_for(tmp_path, *WHOLE), tmp_path / "x")
    assert [run.depth for run in again.todo] == [3, 3]
    execute(again, ["second"], progress=False)
    assert content(tmp_path / "x") == content(undisturbed / "whole")
    made_by = load(tmp_path / "x").provenance["made_by"]
    assert [(entry["command"], entry["runs"]) for entry in made_by] == [("test", 2), ("second", 2)]
    assert all(entry["wall_seconds"] >= 0 for entry in made_by)


def test_parts_of_another_sweep_are_not_taken(tmp_path, monkeypatch):
    interrupted_after_one_tile(tmp_path / "x", monkeypatch, *WHOLE)
    with pytest.raises(UserError, match=r"holds another sweep \(4 runs\)"):
        plan(runs_for(tmp_path, "seed=7"), tmp_path / "x")
    execute(plan(runs_for(tmp_path, "seed=7"), tmp_path / "x", fresh=True), ["test"], progress=False)
    assert load(tmp_path / "x").runs["seed"].tolist() == [7]


def test_a_clock_that_jumps_changes_nothing(tmp_path, undisturbed, monkeypatch):
    jumps = iter(10.0**9 * (1 + (i * 7919 % 13) - 6) for i in range(10**6))
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    monkeypatch.setattr(time, "time_ns", lambda: int(next(jumps) * 1e9))
    part = interrupted_after_one_tile(tmp_path / "x", monkeypatch, *WHOLE)
    os.utime(part, (4e9, 4e9))  # made in the future, as a reader would have it
    os.utime(tmp_path / "x", (0, 0))
    execute(plan(runs_for(tmp_path, *WHOLE), tmp_path / "x"), ["test"], progress=False)
    assert content(tmp_path / "x") == content(undisturbed / "whole")


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of 128 KiB; give a function that changes its options."""
    disk = tmp_path / "disk"
    disk.mkdir()

    def mount(options: str) -> bool:
        return run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]).returncode == 0

    def remount(options: str) -> None:
        assert mount(f"remount,{options}")

    if shutil.which("mount") is None or not mount("size=128k"):
        pytest.skip("needs the right to mount")
    yield disk, remount
    assert run(["umount", str(disk)]).returncode == 0


def test_a_full_disk_keeps_the_parts_and_goes_on_when_there_is_room(small_disk, tmp_path):
    disk, remount = small_disk
    overrides = ("depth=2,3,4,5", "seed=0,1", "steps=60")
    execute(plan(runs_for(tmp_path, *overrides), tmp_path / "whole"), ["test"], progress=False)
    runs = runs_for(disk, *overrides)
    with pytest.raises(UserError, match=r"No space left on device.*finished runs kept, the same command resumes") as caught:
        execute(plan(runs, disk / "x"), ["test"], progress=False)
    assert "\n" not in str(caught.value)
    assert {path.name for path in (disk / "x").iterdir()} == {"parts"}
    assert not list((disk / "x" / "parts").glob(".*"))
    remount("size=10m")
    again = plan(runs, disk / "x")
    assert len(again.todo) < 8
    execute(again, ["test"], progress=False)
    assert content(disk / "x") == content(tmp_path / "whole")


def test_a_folder_that_cannot_be_written_is_read_all_the_same(small_disk):
    disk, remount = small_disk
    runs = runs_for(disk, "seed=0")
    execute(plan(runs, disk / "x"), ["test"], progress=False)
    remount("ro")
    tables, _ = execute(plan(runs, disk / "x"), ["test"], progress=False)
    assert len(tables.runs) == 1
    for name in ("x", "new"):
        with pytest.raises(UserError, match=r"cannot write to .*Read-only file system.*choose another results_dir"):
            execute(plan(runs_for(disk, "seed=1"), disk / name, fresh=True), ["test"], progress=False)


def test_two_processes_on_one_name_end_in_one_whole_sweep(tmp_path, undisturbed):
    arguments = ["run", "-m", *TINY, "steps=2", *WHOLE, "name=x", f"results_dir={tmp_path}"]
    options = {"cwd": tmp_path, "env": environment(), "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    words = [sys.executable, "-m", "experiments", *arguments]
    with started(*words, **options) as one, started(*words, **options) as other:
        both = [one, other]
        said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert all(err == b"" or b"waiting for it" in err for _, err in said)
    assert content(tmp_path / "x") == content(undisturbed / "whole")


@pytest.mark.slow
def test_kills_at_random_moments(tmp_path):
    assert sum(torment(2, seed=0, scratch=tmp_path, quiet=True).values()) >= 3
