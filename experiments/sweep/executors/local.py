"""Where tiles of runs are computed: here, or in worker processes.

An executor has `submit(function, *args)`, which returns a future with `result()`, and `close(kill)`.
"""

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future
from typing import Any, Protocol

import psutil


class Executor(Protocol):
    """Anything that computes tiles.

    `workers` is how many tasks are computed at a time; `slots` is how many are submitted ahead: enough to keep every
    worker busy, few enough that an interrupt loses little.
    """

    workers: int
    slots: int

    def submit(self, function: Callable[..., Any], *args: Any) -> "Future[Any]":
        """Start function(*args) and return its future."""
        ...

    def close(self, kill: bool = False) -> None:
        """Release the workers; with kill, at once."""
        ...


class Serial:
    """Compute at once, in this process."""

    workers = 1
    slots = 1

    def submit(self, function: Callable[..., Any], *args: Any) -> "Future[Any]":
        """Call function(*args) now; an exception waits in the future, an interrupt does not."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def close(self, kill: bool = False) -> None:
        """Do nothing."""


def _prepare_worker(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this worker when its parent has gone, however it went: what it computes, nobody waits for."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


class Processes:
    """Compute in worker processes, each a pool of its own: one that dies takes its own task with it and no other's.

    Args:
        max_workers: number of workers, ≥ 1.
    """

    def __init__(self, max_workers: int) -> None:
        # A worker that has seen large nets or data is replaced by a fresh one between two tasks, which is no fault of theirs.
        warnings.filterwarnings("ignore", message="A worker was restarted while some jobs", category=UserWarning)
        self.workers = self.slots = max_workers
        self._idle = [self._pool() for _ in range(max_workers)]
        self._busy: dict[Future[Any], Any] = {}

    @staticmethod
    def _pool() -> Any:
        from loky import ProcessPoolExecutor  # imports multiprocessing machinery that a single run need not pay for

        return ProcessPoolExecutor(max_workers=1, initializer=_prepare_worker, initargs=(os.getpid(),))

    def submit(self, function: Callable[..., Any], *args: Any) -> "Future[Any]":
        """Start function(*args) in an idle worker; where a worker has died, another takes its place.

        Raises:
            RuntimeError: every worker is busy; at most `slots` tasks are under way at a time.
        """
        for future in [future for future in self._busy if future.done()]:
            pool = self._busy.pop(future)
            broken = isinstance(future.exception(), BrokenExecutor)
            if broken:
                pool.shutdown(wait=True, kill_workers=True)
            self._idle.append(self._pool() if broken else pool)
        if not self._idle:
            raise RuntimeError(f"all {self.workers} workers are busy")
        pool = self._idle.pop()
        try:
            future = pool.submit(function, *args)
        except BrokenExecutor:  # the worker died between two tasks, which is no task's fault
            pool.shutdown(wait=True, kill_workers=True)
            pool = self._pool()
            future = pool.submit(function, *args)
        self._busy[future] = pool
        return future  # type: ignore[no-any-return]

    def close(self, kill: bool = False) -> None:
        """End the workers, after their work or at once."""
        for pool in [*self._idle, *self._busy.values()]:
            pool.shutdown(wait=kill, kill_workers=kill)  # idle workers end by themselves, while this process makes the tables
        self._idle, self._busy = [], {}


def serial() -> Callable[[int], Executor]:
    """Return a maker of executors that compute in this process."""
    return lambda tasks: Serial()


def processes(max_workers: int | None = None) -> Callable[[int], Executor]:
    """Return a maker of process pools of the size that a number of tasks deserves.

    Args:
        max_workers: upper bound, ≥ 1, or None for one worker per physical core, as far as this process may use them.

    Raises:
        ValueError: max_workers is not ≥ 1.
    """
    if max_workers is not None and max_workers < 1:
        raise ValueError(f"`max_workers` must be an integer ≥ 1 or null, got {max_workers}")
    limit = max_workers or _cores()

    def make(tasks: int) -> Executor:
        return Serial() if min(limit, tasks) <= 1 else Processes(min(limit, tasks))

    return make


def _cores() -> int:
    """Return the physical cores that this process may use: two threads of one core share the unit that does our work."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, psutil.cpu_count(logical=False) or usable))
