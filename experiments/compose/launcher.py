"""The stacked launcher: it composes all jobs of a sweep, and fast, before anything runs.

A task function that has a collector (`collect_with`) is not run: the collector takes each job's config, and the runs
are stacked afterwards. Any other task function is run job by job, as Hydra's basic launcher does.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra.core.utils import JobReturn, JobStatus
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

from experiments.compose.fast import FastLoader, TaskConfig

log = logging.getLogger(__name__)

Collector = Callable[[TaskConfig], None]
_Task = TypeVar("_Task", bound=Callable[..., Any])
_COLLECTOR = "__stacked_collector__"


def collect_with(collector: Collector) -> Callable[[_Task], _Task]:
    """Mark a task function as one whose jobs the collector takes, instead of their being run one by one.

    Args:
        collector: called with each job's config, in the sweep's order.

    Returns:
        A decorator, which returns the function itself.
    """

    def mark(task: _Task) -> _Task:
        setattr(task, _COLLECTOR, collector)
        return task

    return mark


@dataclass
class StackedLauncherConf:
    """Declare the launcher's keys.

    Args:
        fast: false leaves every composition to Hydra.
    """

    _target_: str = "hydra_plugins.gradstab.StackedLauncher"
    _recursive_: bool = False
    fast: bool = True


class StackedLauncher(BasicLauncher):
    """Launch the jobs of a sweep in this process.

    Args:
        fast: false leaves every composition to Hydra.
    """

    def __init__(self, fast: bool = True) -> None:
        super().__init__()
        self.fast = fast

    @property
    def collects(self) -> bool:
        """Tell whether launching composes all jobs and runs none, which makes checking them beforehand idle."""
        return hasattr(self.task_function, _COLLECTOR)

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Take the sweep; the sweeper, which shares the context, composes fast as well."""
        if self.fast and not isinstance(hydra_context.config_loader, FastLoader):
            hydra_context.config_loader = FastLoader(hydra_context.config_loader)  # type: ignore[assignment]  # stands in for it
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Launch a batch.

        Args:
            job_overrides: of each job.
            initial_job_idx: number of the first.

        Returns:
            One entry a job; those of collected jobs hold the overrides alone.

        Raises:
            HydraException: a job cannot be composed.
        """
        if self.collects:
            returns = []
            for place, overrides in enumerate(job_overrides):
                returns += self._collect(list(overrides), initial_job_idx + place)
            return returns
        returns = list(super().launch(job_overrides, initial_job_idx))
        for place, job in enumerate(returns):
            if job.status == JobStatus.FAILED:  # Hydra itself tells of the first alone
                log.error("job #%d (%s) failed", initial_job_idx + place, " ".join(job.overrides or ()), exc_info=job._return_value)
        return returns

    def _collect(self, overrides: list[str], index: int) -> list[JobReturn]:
        assert self.hydra_context is not None
        assert self.config is not None
        loader: Any = self.hydra_context.config_loader
        task = loader.load_task_config(self.config, overrides) if isinstance(loader, FastLoader) else None
        if task is None:  # it may look at Hydra's state, or be wrong: Hydra runs or refuses it
            return list(super().launch([overrides], index))
        getattr(self.task_function, _COLLECTOR)(task)
        return [JobReturn(overrides=task.overrides, status=JobStatus.COMPLETED)]
