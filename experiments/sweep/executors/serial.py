"""One task after another, in this process."""

from dataclasses import dataclass

from experiments.sweep.executors.contract import Crew, Ending, Failed, Finished, Task


class Here:
    """Compute in this process: a task is done when its ending is asked for."""

    slots = 1

    def __init__(self) -> None:
        self._task: Task | None = None

    def submit(self, task: Task) -> None:
        """Take a task; see `Crew`."""
        if self._task is not None:
            raise RuntimeError("a task is under way, and this process computes one at a time")
        self._task = task

    def wait(self) -> list[Ending]:
        """Compute the task now; what it raises is its ending, but an interrupt is ours."""
        if self._task is None:
            return []
        task, self._task = self._task, None
        try:
            task()
        except Exception as error:
            return [Failed(task, error)]
        return [Finished(task)]

    def cancel(self) -> None:
        """Forget the task, which has not begun: who could cancel it is who computes it."""
        self._task = None

    def close(self) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Serial:
    """Compute one task after another, in this process."""

    def workers(self, tasks: int) -> int:
        """Return 1."""
        return 1

    def start(self, tasks: int) -> Crew:
        """Return this process."""
        return Here()
