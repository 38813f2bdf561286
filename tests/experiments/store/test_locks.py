import errno
import fcntl
import multiprocessing
import os
import signal
import threading
import time

import pytest

from experiments.errors import UserError
from experiments.store import locks
from experiments.store.folder import LOCK
from experiments.store.locks import locked


def _hold(folder, pipe):
    with locked(folder):
        pipe.send("begun")
        pipe.poll(30)


@pytest.fixture
def holder(tmp_path):
    """Start another process that holds the folder, until told otherwise through a pipe: an event's waiters must not be killed."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_hold, args=(tmp_path / "x", theirs))
    process.start()
    theirs.close()  # so that the end of the process is the end of the pipe
    assert ours.poll(60)
    assert ours.recv() == "begun"
    yield process, ours
    ours.close()
    process.join(30)
    process.kill()  # where it did not end by itself
    process.join()


def test_the_second_waits_and_says_so(tmp_path, holder, capfd):
    process, pipe = holder
    threading.Timer(0.3, pipe.close).start()
    began = time.monotonic()
    with locked(tmp_path / "x"):
        assert time.monotonic() - began > 0.2
    err = capfd.readouterr().err
    assert err.count("\n") == 1
    assert f"another process ({process.pid}); waiting" in err


def test_a_killed_holder_holds_nothing(tmp_path, holder, capfd):
    process, _ = holder
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert (tmp_path / "x" / LOCK).exists()
    with locked(tmp_path / "x"):
        pass
    assert capfd.readouterr().err == ""
    assert not (tmp_path / "x").exists()  # nothing came of it


def test_it_leaves_a_folder_that_holds_something(tmp_path):
    with locked(tmp_path / "x"):
        (tmp_path / "x" / "runs.parquet").write_text("")
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["runs.parquet"]


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_told(tmp_path, monkeypatch, capfd, error):
    def refuse(descriptor, operation):
        raise OSError(error, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(tmp_path / "x"):
        pass
    assert "without locks" in capfd.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_lock_that_cannot_be_written_is_one_line(tmp_path, monkeypatch):
    def refuse(descriptor, operation):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(UserError, match=r"cannot write to .*Input/output error; choose another results_dir"), locked(tmp_path / "x"):
        pass


def _increment(folder, counter, times):
    locks._POLL_SECONDS = 0.001  # so that they meet more often
    for _ in range(times):
        with locked(folder):
            counter.write_text(str(int(counter.read_text()) + 1))


def test_no_two_hold_it_although_the_file_and_the_folder_come_and_go(tmp_path):
    """Each holder removes the lock file and the folder, for which the others wait."""
    counter = tmp_path / "counter"
    counter.write_text("0")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_increment, args=(tmp_path / "x", counter, 40)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert counter.read_text() == "120"
    assert not (tmp_path / "x").exists()
