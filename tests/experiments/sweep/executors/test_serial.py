import os

import pytest

from experiments.sweep.executors.contract import Finished, Task
from experiments.sweep.executors.serial import Here, Serial


def _interrupt():
    raise KeyboardInterrupt


def test_it_computes_here_when_asked_for_the_ending():
    pids = []
    here = Here()
    task = Task("t", lambda: pids.append(os.getpid()))
    here.submit(task)
    assert pids == []
    assert here.wait() == [Finished(task)]
    assert pids == [os.getpid()]


def test_an_interrupt_is_not_an_ending():
    here = Here()
    here.submit(Task("t", _interrupt))
    with pytest.raises(KeyboardInterrupt):
        here.wait()


def test_there_is_one_worker_whatever_there_is_to_do():
    assert [Serial().workers(tasks) for tasks in (1, 1000)] == [1, 1]
    assert isinstance(Serial().start(1000), Here)
