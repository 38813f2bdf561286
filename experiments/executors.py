"""Where tiles of runs are computed: here, or in worker processes.

An executor has `submit(function, *args)`, which returns a future with `result()`, and `close(kill)`.
"""

import os
import signal
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol


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


def _prepare_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides


class Processes:
    """Compute in a pool of worker processes.

    Args:
        max_workers: number of workers, ≥ 1.
    """

    def __init__(self, max_workers: int) -> None:
        from loky import ProcessPoolExecutor  # imports multiprocessing machinery that a single run need not pay for

        self.workers, self.slots = max_workers, 2 * max_workers
        self._pool = ProcessPoolExecutor(max_workers=max_workers, initializer=_prepare_worker)

    def submit(self, function: Callable[..., Any], *args: Any) -> "Future[Any]":
        """Queue function(*args)."""
        future: Future[Any] = self._pool.submit(function, *args)
        return future

    def close(self, kill: bool = False) -> None:
        """End the workers, after their work or at once."""
        self._pool.shutdown(wait=True, kill_workers=kill)


def serial() -> Callable[[int], Executor]:
    """Return a maker of executors that compute in this process."""
    return lambda tasks: Serial()


def processes(max_workers: int | None = None) -> Callable[[int], Executor]:
    """Return a maker of process pools of the size that a number of tasks deserves.

    Args:
        max_workers: upper bound, ≥ 1, or None for the number of cores this process may use.

    Raises:
        ValueError: max_workers is not ≥ 1.
    """
    if max_workers is not None and max_workers < 1:
        raise ValueError(f"`max_workers` must be an integer ≥ 1 or null, got {max_workers}")
    limit = max_workers or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else max_workers or os.cpu_count() or 1

    def make(tasks: int) -> Executor:
        return Serial() if min(limit, tasks) <= 1 else Processes(min(limit, tasks))

    return make
