"""Worker processes of this machine."""

import os
import signal
import threading
import time
import warnings
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass
from typing import Any

from experiments.forks.sharing import cores
from experiments.sweep.executors.contract import Crew, Ending, Failed, Finished, Lost, Task
from experiments.sweep.executors.serial import Here


def _prepare_worker(parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the parent decides
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this worker when its parent has gone, however it went: what it computes, nobody waits for."""
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(1)


def _pool() -> Any:
    """Return a pool of one worker, which starts with its first task."""
    from loky import ProcessPoolExecutor  # imports multiprocessing machinery that a single run need not pay for

    return ProcessPoolExecutor(max_workers=1, initializer=_prepare_worker, initargs=(os.getpid(),))


class WorkerProcesses:
    """Compute in worker processes, each a pool of its own: one that dies takes its own task with it and no other's.

    Args:
        count: of workers, ≥ 1.
    """

    def __init__(self, count: int) -> None:
        # A worker that has seen large nets or data is replaced by a fresh one between two tasks, which is no fault of theirs.
        warnings.filterwarnings("ignore", message="A worker was restarted while some jobs", category=UserWarning)
        self.slots = count
        self._idle = [_pool() for _ in range(count)]
        self._busy: dict[Future[None], tuple[Task, Any]] = {}

    def submit(self, task: Task) -> None:
        """Hand a task to an idle worker; see `Crew`."""
        if not self._idle:
            raise RuntimeError(f"all {self.slots} workers are busy")
        pool = self._idle.pop()
        try:
            future = pool.submit(task.function, *task.arguments)
        except BrokenExecutor:  # the worker died between two tasks, which is no task's fault
            pool = _replaced(pool)
            future = pool.submit(task.function, *task.arguments)
        self._busy[future] = task, pool

    def wait(self) -> list[Ending]:
        """Wait for the first worker that is done; where one has died, another takes its place."""
        done, _ = wait(self._busy, return_when=FIRST_COMPLETED)
        return [self._ending(future) for future in done]

    def _ending(self, future: "Future[None]") -> Ending:
        task, pool = self._busy.pop(future)
        error = future.exception()
        lost = isinstance(error, BrokenExecutor)
        self._idle.append(_replaced(pool) if lost else pool)
        if error is None:
            return Finished(task)
        return Lost(task, f"its worker process died: {' '.join(str(error).split())}") if lost else Failed(task, error)

    def cancel(self) -> None:
        """Kill the workers, and wait until they are gone."""
        for pool in [*self._idle, *(pool for _, pool in self._busy.values())]:
            pool.shutdown(wait=True, kill_workers=True)
        self._idle, self._busy = [], {}

    def close(self) -> None:
        """Let the workers end by themselves, while this process goes on."""
        for pool in self._idle:
            pool.shutdown(wait=False)
        self._idle = []


def _replaced(pool: Any) -> Any:
    """Clear away what a dead worker left, and return a pool in its place."""
    pool.shutdown(wait=True, kill_workers=True)
    return _pool()


@dataclass(frozen=True)
class Processes:
    """Compute in as many worker processes as the tasks deserve; where that is one, in this process.

    Args:
        max_workers: upper bound, ≥ 1, or None for one worker per physical core, as far as this process may use them.

    Raises:
        ValueError: max_workers is not ≥ 1.
    """

    max_workers: int | None = None

    def __post_init__(self) -> None:
        if self.max_workers is not None and self.max_workers < 1:
            raise ValueError(f"`max_workers` must be an integer ≥ 1 or null, got {self.max_workers}")

    def workers(self, tasks: int) -> int:
        """Return the number of workers: one a task, up to the bound."""
        return max(1, min(self.max_workers or cores(), tasks))

    def start(self, tasks: int) -> Crew:
        """Return as many worker processes, or this process in place of a single one."""
        count = self.workers(tasks)
        return Here() if count == 1 else WorkerProcesses(count)
