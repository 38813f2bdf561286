"""Processes that tests start: each the head of a group of its own, which ends with the test, whatever becomes of it."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
GRACE = 30
"""Seconds in which the kernel has taken a killed group away; it takes milliseconds."""


WARNINGS = "error,ignore:During parsing environment variable:ImportWarning"
"""Every warning is an error, but for what numpy says of the processor's features that a portable run does without and it does not know."""


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a process that imports this tree and in which a warning is an error, as it is in this one."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": WARNINGS, **more}


def end(process: subprocess.Popen[Any]) -> None:
    """Kill a process with the whole group that it heads, and wait until none of it is left."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(GRACE)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    deadline = time.monotonic() + GRACE
    while left := alive(process.pid):
        if time.monotonic() > deadline:
            raise RuntimeError(f"killed, but not gone: {left}")
        time.sleep(0.01)


def alive(group: int) -> list[int]:
    """Return the processes of a group that are left; one that has ended and that nobody has asked about is not."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return []
    return [process.pid for process in psutil.process_iter() if _group(process) == group]


def _group(process: psutil.Process) -> int | None:
    try:
        return None if process.status() == psutil.STATUS_ZOMBIE else os.getpgid(process.pid)
    except (psutil.NoSuchProcess, ProcessLookupError):
        return None


@contextlib.contextmanager
def started(*command: str | Path, **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start a process as `subprocess.Popen` does, in a session of its own, and end its group at the end."""
    process = subprocess.Popen(command, start_new_session=True, **options)
    try:
        yield process
    finally:
        end(process)


def run(command: Sequence[str | Path], timeout: float = 120, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end as `subprocess.run` does, and leave nothing of its group behind."""
    with started(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options) as process:
        out, err = process.communicate(timeout=timeout)
    return subprocess.CompletedProcess(command, process.returncode, out, err)
