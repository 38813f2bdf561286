"""Composition of many sweeps: Hydra starts once for all of them, and by itself for what is special."""

from collections.abc import Sequence
from typing import Any

from hydra import initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, RunMode

from experiments.compose.composition import VERSION_BASE, Composed, checked, compose
from experiments.compose.fast import FastLoader
from experiments.config.keys import register
from experiments.config.paths import CONF


class Composer:
    """Compose sweeps; what one has in common with the next is kept, which saves Hydra's start and the files' reading.

    Args:
        flags: --config-dir and its folder, or none.
    """

    def __init__(self, flags: Sequence[str] = ()) -> None:
        self._flags = list(flags)
        searched = [f"hydra.searchpath=['file://{folder}']" for folder in self._flags[1:]]
        register()
        self._parser = OverridesParser.create()
        with initialize_config_dir(str(CONF), job_name="gradstab", **VERSION_BASE):
            loader = GlobalHydra.instance().config_loader()
            self._master = loader.load_configuration("config", searched, RunMode.MULTIRUN)
            context = HydraContext(config_loader=loader, callbacks=Callbacks())
            self._sweeper: Any = Plugins.instance().instantiate_sweeper(hydra_context=context, task_function=_idle, config=self._master)
            self._loader = FastLoader(loader)

    def compose(self, overrides: list[str]) -> list[Composed]:
        """Compose a sweep, with the result of `compose(["--multirun"], overrides)`.

        Args:
            overrides: Hydra's.

        Returns:
            One entry a job.

        Raises:
            UserError: Hydra refused the sweep.
        """
        found = None if any(_is_special(override) for override in overrides) else self._found(overrides)
        return compose(["--multirun", *self._flags], overrides) if found is None else checked(found)

    def _found(self, overrides: list[str]) -> list[Composed] | None:
        """Compose a sweep; None for one that is wrong, which Hydra's own run says in its words."""
        try:
            parsed = self._parser.parse_overrides(overrides)
            with initialize_config_dir(str(CONF), job_name="gradstab", **VERSION_BASE):
                (jobs,) = self._sweeper.split_arguments(parsed, None)
                tasks = [self._loader.load_task_config(self._master, job) for job in jobs]
            known = [task for task in tasks if task is not None]
            if len(known) < len(tasks):
                return None
            return [Composed(task.container(), task.overrides, task.choices) for task in known]
        except Exception:  # whatever it is: the slow way meets it again, and explains it
            return None


def _is_special(override: str) -> bool:
    """Tell whether Hydra must see an override while it starts, or `compose` refuses it."""
    key = override.partition("=")[0].lstrip("+~")
    return key.partition(".")[0] in ("hydra", "experiment") or key.endswith(("._target_", ".name")) or "={" in override or "=[" in override


def _idle(_: Any) -> None:
    """Stand for a task, where nothing is run."""
