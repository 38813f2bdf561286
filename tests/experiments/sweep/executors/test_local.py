import os

import pytest

from experiments.sweep.executors.local import Processes, Serial, processes, serial


def _double(x):
    return 2 * x


def _fail():
    raise RuntimeError("on purpose")


@pytest.mark.parametrize("make", [Serial, lambda: Processes(2)], ids=["serial", "processes"])
def test_results_and_exceptions_wait_in_the_future(make):
    executor = make()
    try:
        assert [executor.submit(_double, i).result() for i in range(3)] == [0, 2, 4]
        assert isinstance(executor.submit(_fail).exception(), RuntimeError)
    finally:
        executor.close()


def test_workers_are_other_processes():
    executor = Processes(1)
    try:
        assert executor.submit(os.getpid).result() != os.getpid()
    finally:
        executor.close(kill=True)


def test_one_task_needs_no_pool():
    assert isinstance(processes()(1), Serial)
    assert isinstance(processes(max_workers=1)(100), Serial)
    assert isinstance(serial()(100), Serial)


def test_no_workers_are_refused():
    with pytest.raises(ValueError, match="`max_workers` must be an integer ≥ 1"):
        processes(max_workers=0)
