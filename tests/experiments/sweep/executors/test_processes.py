import os
import signal
import sys
import time

import psutil
import pytest

from experiments.sweep.executors.contract import Finished, Lost, Task
from experiments.sweep.executors.processes import Processes, WorkerProcesses
from experiments.sweep.executors.serial import Here
from tests.experiments.sweep.executors import tasks
from tests.processes import ROOT, environment, started


def pid_in(path):
    deadline = time.monotonic() + 60
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return int(path.read_text())


def assert_ends(pid):
    deadline = time.monotonic() + 20
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def crew():
    crew = WorkerProcesses(2)
    yield crew
    crew.cancel()


def test_workers_are_other_processes(crew, tmp_path):
    crew.submit(Task("t", tasks.write_pid, (tmp_path / "pid",)))
    crew.wait()
    assert int((tmp_path / "pid").read_text()) != os.getpid()


def test_nothing_is_started_to_know_the_workers(monkeypatch):
    monkeypatch.setattr(WorkerProcesses, "__init__", lambda self, count: pytest.fail("started"))
    assert Processes(max_workers=3).workers(100) == 3
    assert Processes(max_workers=3).workers(2) == 2
    assert 1 <= Processes().workers(10**6) <= psutil.cpu_count()


def test_one_task_needs_no_worker():
    assert isinstance(Processes().start(1), Here)
    assert isinstance(Processes(max_workers=1).start(100), Here)
    assert isinstance(Processes(max_workers=2).start(2), WorkerProcesses)


def test_no_workers_are_refused():
    with pytest.raises(ValueError, match="`max_workers` must be an integer ≥ 1"):
        Processes(max_workers=0)


def test_a_worker_that_dies_loses_its_own_task_alone(crew, tmp_path):
    both = [Task("dies", tasks.write_and_die, (tmp_path / "x",)), Task("lives", tasks.write_pid, (tmp_path / "a",))]
    for task in both:
        crew.submit(task)
    endings = [*crew.wait()]
    while len(endings) < 2:
        endings += crew.wait()
    by_name = {ending.task.name: ending for ending in endings}
    assert isinstance(by_name["dies"], Lost)
    assert "\n" not in by_name["dies"].reason
    assert "its worker process died" in by_name["dies"].reason
    assert by_name["lives"] == Finished(both[1])
    assert (tmp_path / "x").read_text() == "whole"  # it may count all the same
    for name in "bc":  # there are two workers still, or again
        crew.submit(Task(name, tasks.write_pid, (tmp_path / name,)))
    done = [*crew.wait()]
    while len(done) < 2:
        done += crew.wait()
    assert all(isinstance(ending, Finished) for ending in done)


def test_a_worker_that_died_idle_is_replaced(crew, tmp_path):
    for name in "ab":
        crew.submit(Task(name, tasks.write_pid, (tmp_path / name,)))
        assert isinstance(crew.wait()[0], Finished)
        os.kill(int((tmp_path / name).read_text()), signal.SIGKILL)
        deadline = time.monotonic() + 20
        while not any(pool._flags.broken for pool in crew._idle):  # until it is noticed; before that, the task would be lost
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_cancelling_kills_at_once(tmp_path):
    crew = WorkerProcesses(2)
    crew.submit(Task("t", tasks.linger, (tmp_path / "pid",)))
    pid = pid_in(tmp_path / "pid")
    began = time.monotonic()
    crew.cancel()
    assert time.monotonic() - began < 10
    assert_ends(pid)


def test_workers_end_with_their_parent(tmp_path):
    code = (
        "import sys; from pathlib import Path; from experiments.sweep.executors.contract import Task\n"
        "from experiments.sweep.executors.processes import WorkerProcesses\n"
        "from tests.experiments.sweep.executors.tasks import linger\n"
        "crew = WorkerProcesses(1); crew.submit(Task('t', linger, (Path(sys.argv[1]),))); crew.wait()"
    )
    with started(sys.executable, "-c", code, str(tmp_path / "pid"), cwd=ROOT, env=environment()) as parent:
        worker = pid_in(tmp_path / "pid")
        parent.kill()  # and not its group
        parent.wait()
        assert_ends(worker)
