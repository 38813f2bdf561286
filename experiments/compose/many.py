"""Composition of many command lines: Hydra starts once for all of them, and by itself for what is special."""

import functools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra import initialize_config_dir
from hydra._internal.callbacks import Callbacks
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, RunMode
from tqdm import tqdm

from experiments.compose.fast import FastLoader
from experiments.compose.hydras import VERSION_BASE, Composed, by_hydra, checked
from experiments.compose.layers import by_layer
from experiments.compose.refusals import refuse_overrides
from experiments.config.keys import SCALARS, register
from experiments.config.paths import CONF


class Composer:
    """Compose command lines; what one has in common with the next is kept, which saves Hydra's start and the files' reading.

    Args:
        flags: --config-dir and its folder, or none.
    """

    def __init__(self, flags: Sequence[str] = ()) -> None:
        self._flags, self._conf = list(flags), str(CONF)
        searched = [f"hydra.searchpath=['file://{folder}']" for folder in self._flags[1:]]
        register()
        self._parser = OverridesParser.create()
        with initialize_config_dir(self._conf, job_name="gradstab", **VERSION_BASE):
            loader = GlobalHydra.instance().config_loader()
            self._master = loader.load_configuration("config", searched, RunMode.MULTIRUN)
            context = HydraContext(config_loader=loader, callbacks=Callbacks())
            self._sweeper: Any = Plugins.instance().instantiate_sweeper(hydra_context=context, task_function=_idle, config=self._master)
            self._loader = FastLoader(loader)

    def compose(self, overrides: list[str]) -> list[Composed]:
        """Compose a sweep, with the result of `by_hydra(["--multirun"], overrides)`.

        Args:
            overrides: Hydra's.

        Returns:
            One entry a job.

        Raises:
            UserError: Hydra refused the sweep.
        """
        overrides = by_layer(overrides)
        found = self.found(overrides, multirun=True)
        if found is None:
            refuse_overrides(overrides)
            found = by_hydra(["--multirun", *self._flags], overrides)
        return found

    def found(self, overrides: list[str], multirun: bool) -> list[Composed] | None:
        """Compose what is ordinary.

        Args:
            overrides: Hydra's.
            multirun: whether they may be a sweep.

        Returns:
            One entry a job; None for what is special or wrong, which Hydra itself composes, or says in its words.

        Raises:
            UserError: a group was given several choices.
        """
        if any(_is_special(override) for override in overrides):
            return None
        try:
            parsed = self._parser.parse_overrides(overrides)
            if not multirun and any(override.is_sweep_override() for override in parsed):
                return None
            with initialize_config_dir(self._conf, job_name="gradstab", **VERSION_BASE):
                (jobs,) = self._sweeper.split_arguments(parsed, None) if multirun else [[overrides]]
                composed = []
                for job in tqdm(jobs, desc="composing", unit="run", file=sys.stderr, disable=None, leave=False, delay=1):
                    task = self._loader.load_task_config(self._master, job)
                    if task is None:
                        return None
                    composed.append(Composed(task.container(), task.overrides, task.choices))
        except Exception:  # whatever it is: the slow way meets it again, and explains it
            return None
        return checked(composed)


def kept_composer() -> Composer:
    """Return the composer of the package's own files, which are read once for all command lines of this process."""
    return _kept(CONF)


@functools.cache
def _kept(conf: Path) -> Composer:
    return Composer()


def _is_special(override: str) -> bool:
    """Tell whether Hydra must see an override while it starts, or `compose` refuses it."""
    key = override.partition("=")[0].lstrip("+~")
    if key.partition(".")[0] in ("hydra", "experiment") or key.endswith(("._target_", ".name")):
        return True
    return "={" in override or ("=[" in override and key not in SCALARS)  # in the place of a choice a list would be merged


def _idle(_: Any) -> None:
    """Stand for a task, where nothing is run."""
