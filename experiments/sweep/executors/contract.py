"""What an executor promises: the whole of what a sweep knows of where it is computed, and all that a new one must do.

An `Executor` is chosen in conf/executor and starts nothing: it can be asked for the number of its workers, compared and
sent to another process. Its `start` gives a `Crew`, which takes tasks and tells how each of them ended. Neither knows
what a task computes. A task leaves what it makes in files and returns nothing, so that its work counts even where the
word of it is lost; who submits it looks at the files.

A crew whose workers are elsewhere may gather tasks until it is asked to `wait`, and send them together; it finds a task
that an earlier process sent by the task's name.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, eq=False)
class Task:
    """Hold a function to be called, somewhere, once.

    Args:
        name: the same in every process that means the same work; no other task of a crew has it.
        function: importable where the workers are, or sent to them by value; it returns nothing.
        arguments: of the function; picklable where the workers are other processes.
    """

    name: str
    function: Callable[..., None]
    arguments: tuple[Any, ...] = ()

    def __call__(self) -> None:
        """Do the work, in whichever process this is."""
        self.function(*self.arguments)


@dataclass(frozen=True)
class Finished:
    """Say that a task's function returned.

    Args:
        task: as it was submitted.
    """

    task: Task


@dataclass(frozen=True)
class Failed:
    """Say that a task's function raised.

    Args:
        task: as it was submitted.
        error: what it raised.
    """

    task: Task
    error: BaseException


@dataclass(frozen=True)
class Lost:
    """Say that the worker ended and took the task with it: killed, out of memory or out of time, its machine gone.

    Args:
        task: as it was submitted. It may have left what it makes, whole, before its worker ended.
        reason: what is known of it, in one line.
    """

    task: Task
    reason: str


Ending = Finished | Failed | Lost
"""How a task ended. A crew tells one ending of each task, and none of those that it cancelled."""


class Crew(Protocol):
    """Workers that are there, or are had when they are needed, until `close`."""

    @property
    def slots(self) -> int:
        """Return how many tasks may be under way: enough for every worker to be busy, few enough that little is cancelled."""
        ...

    def submit(self, task: Task) -> None:
        """Take a task.

        Args:
            task: to be computed once.

        Raises:
            RuntimeError: `slots` tasks are under way.
        """
        ...

    def wait(self) -> Sequence[Ending]:
        """Wait until a task has ended.

        Returns:
            The endings that have not been told yet, at least one; none only where no task is under way.
        """
        ...

    def cancel(self) -> None:
        """End at once what is under way, workers included, and tell of it no more; nothing of it goes on in the background."""
        ...

    def close(self) -> None:
        """Let the workers go, without waiting for them; tasks must not be under way, unless they were cancelled."""
        ...


class Executor(Protocol):
    """A choice of conf/executor: a factory that takes the keys of its file makes it."""

    def workers(self, tasks: int) -> int:
        """Return how many workers so many tasks would get, ≥ 1; nothing is started to find out.

        Args:
            tasks: that are ready at the same time, ≥ 1.
        """
        ...

    def start(self, tasks: int) -> Crew:
        """Return the crew for so many tasks.

        Args:
            tasks: that are ready at the same time, ≥ 1; more may follow.
        """
        ...
