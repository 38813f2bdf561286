"""Composition of many similar configs: Hydra's own once per choice of groups, then its own function for values.

Hydra composes each job of a sweep from its files, tens of milliseconds each. Jobs that choose the same groups differ
by values alone, which Hydra applies last; so the config before that step is kept and copied. What does not fit this
picture goes through Hydra's composition, and so does everything that fails, which keeps its errors Hydra's own.
"""

import copy
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hydra._internal import config_loader_impl
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import CachingConfigRepository
from hydra._internal.defaults_list import Overrides
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from experiments.compose.bases import Base, KeptFiles, base_of, base_of_task, calls_resolver, texts_of
from experiments.compose.swapping import Swaps

_KEPT_BASES = 512
_KEPT_OVERRIDES = 4096

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)")


@dataclass(frozen=True)
class TaskConfig:
    """Hold what a task is given, without Hydra's own node.

    Args:
        config: the task's config, not resolved; or plain containers, where there is nothing to resolve.
        overrides: of the job, as Hydra lists them.
        choices: the groups' choices.
        literal: whether there is nothing to resolve, which saves half of the time.
    """

    config: DictConfig | dict[str, Any]
    overrides: tuple[str, ...]
    choices: Mapping[str, Any]
    literal: bool = False

    def container(self) -> dict[str, Any]:
        """Return the config as plain containers.

        Raises:
            OmegaConfBaseException: a value is missing, or cannot be resolved.
        """
        if isinstance(self.config, dict):
            return self.config
        container = OmegaConf.to_container(self.config, resolve=not self.literal, throw_on_missing=True)
        assert isinstance(container, dict)
        return {str(key): value for key, value in container.items()}


class _TooSpecialError(Exception):
    """Say that a job is one for Hydra's own composition."""


class FastLoader:
    """Stand in for Hydra's config loader; composing the jobs of a sweep is fast, all else is the loader's own.

    Args:
        loader: Hydra's.
    """

    def __init__(self, loader: ConfigLoader) -> None:
        self._loader: Any = loader
        self._parser = OverridesParser.create()
        self._parsed: dict[str, Override] = {}
        self._start(None)

    def __getattr__(self, name: str) -> Any:
        if name == "_loader":  # asked for while this object is being copied
            raise AttributeError(name)
        return getattr(self._loader, name)

    def _start(self, master: DictConfig | None) -> None:
        """Forget what was kept for another sweep."""
        self._master = master
        self._bases: dict[tuple[Any, ...], Base] = {}
        self._structural: dict[tuple[str, bool], bool] = {}
        self._repository: Any = None
        self._reading: Any = None
        self._swaps: Swaps | None = None
        self._unswapped: Base | None = None

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """Compose one job, as Hydra's loader does.

        Args:
            master_config: of the sweep.
            sweep_overrides: of the job.

        Returns:
            The job's config, equal to that of Hydra's own composition.

        Raises:
            HydraException: as Hydra does.
        """
        try:
            return self._whole(master_config, sweep_overrides)
        except Exception:  # Hydra composes what was too special, and says in its own words what is wrong
            config: DictConfig = self._loader.load_sweep_config(master_config, sweep_overrides)
            return config

    def load_task_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> TaskConfig | None:
        """Compose one job without Hydra's node, which a task does not see.

        Args:
            master_config: of the sweep.
            sweep_overrides: of the job.

        Returns:
            The task's config; None if the job is one for `load_sweep_config`.
        """
        try:
            base, values, lines = self._split(master_config, sweep_overrides, whole=False)
            if base.plain is not None and (containers := base.plain.apply(values)) is not None:
                return TaskConfig(containers, lines, base.choices, literal=True)
            texts = texts_of([override.value() for override in values])  # unescaped, as Hydra applies them
            if base.task is None or any(calls_resolver(text) for text in texts):
                return None
            literal = base.literal and not any("${" in text for text in texts)
            config = base.task()
            ConfigLoaderImpl._apply_overrides_to_config(values, config)
        except Exception:
            return None
        return TaskConfig(config, lines, base.choices, literal)

    def _whole(self, master: DictConfig, overrides: Sequence[str]) -> DictConfig:
        base, values, lines = self._split(master, overrides, whole=True)
        config = base.whole()
        ConfigLoaderImpl._apply_overrides_to_config(values, config)
        config.hydra.overrides.task = list(lines)
        if hasattr(config_loader_impl, "get_overrides_dirname"):  # Hydra 1.4 has a resolver for it
            options = config.hydra.job.config.override_dirname
            config.hydra.job.override_dirname = config_loader_impl.get_overrides_dirname(
                overrides=[self._parse(line) for line in lines],
                kv_sep=options.kv_sep,
                item_sep=options.item_sep,
                exclude_keys=options.exclude_keys,
            )
        OmegaConf.copy_cache(from_config=master, to_config=config)
        return config

    def _split(self, master: DictConfig, overrides: Sequence[str], whole: bool) -> tuple[Base, list[Override], tuple[str, ...]]:
        """Return the base of a job, the overrides to apply to it, and all of them as text."""
        if master is not self._master:
            self._start(master)
        structural: list[Override] = []
        values: list[Override] = []
        for text in overrides:
            override = self._parse(text)
            if override.is_sweep_override():
                raise _TooSpecialError
            (structural if self._is_structural(text, override) else values).append(override)
        folder = os.getcwd() if whole else None  # a part of Hydra's node, which a task does not see
        return self._base(structural, folder), values, tuple(overrides)

    def _parse(self, text: str) -> Override:
        """Parse an override; those that differ by a plain number share the work."""
        found = self._parsed.get(text)
        if found is not None:
            return found
        key, equals, value = text.partition("=")
        number = int(value) if _INTEGER.fullmatch(value) else float(value) if _FLOAT.fullmatch(value) else None
        if equals and number is not None and value != "0":
            parsed = replace(self._parse(f"{key}=0"), _value=number, input_line=text)
        else:
            (parsed,) = self._parser.parse_overrides([text])
        if len(self._parsed) >= _KEPT_OVERRIDES:
            self._parsed.clear()
        self._parsed[text] = parsed
        return parsed

    def _is_structural(self, text: str, override: Override) -> bool:
        """Tell whether an override changes which files are composed, by Hydra's own rule."""
        key = (text.partition("=")[0], isinstance(override._value, dict))
        if key not in self._structural:
            if _of_hydra(override):
                raise _TooSpecialError
            try:
                known = Overrides(repo=self._groups(), overrides_list=[override])
                self._structural[key] = not known.config_overrides
            except Exception:  # refused: let the composition say so
                self._structural[key] = True
        return self._structural[key]

    def _own_overrides(self) -> list[str]:
        assert self._master is not None
        return [str(override) for override in self._master.hydra.overrides.hydra]

    def _groups(self) -> Any:
        """Return the repository of the sweep's config files, its search path included."""
        assert self._master is not None
        if self._repository is None:
            repository = CachingConfigRepository(self._loader.repository)
            own = self._parser.parse_overrides(self._own_overrides())
            self._loader._process_config_searchpath(self._master.hydra.job.config_name, own, repository)
            self._repository = repository
        return self._repository

    def _base(self, structural: list[Override], folder: str | None) -> Base:
        lines = tuple(str(override.input_line) for override in structural)
        key = (lines, folder)
        if key not in self._bases:
            base = self._swapped(structural) if folder is None else None
            if base is None:
                base = base_of(self._composed(lines))
            if len(self._bases) >= _KEPT_BASES:
                del self._bases[next(iter(self._bases))]
            self._bases[key] = base
        return self._bases[key]

    def _composed(self, lines: tuple[str, ...]) -> DictConfig:
        """Return what Hydra composes of groups' choices."""
        if self._reading is None:
            self._reading = copy.copy(self._loader)
            self._reading.repository = KeptFiles(self._loader.repository, {})
        config: DictConfig = self._reading.load_sweep_config(self._master, list(lines))
        if config.hydra.job.env_copy:  # read from the environment at each composition
            raise _TooSpecialError
        return config

    def _swapped(self, structural: list[Override]) -> Base | None:
        """Return the master's own config with other choices in their places; None where that is one for Hydra."""
        master = self._master
        if master is None or master.hydra.overrides.task or master.hydra.job.env_copy:
            return None
        if self._swaps is None:
            self._swaps = Swaps(self._groups(), master.hydra.job.config_name, master.hydra.runtime.choices)
            self._unswapped = base_of(master) if self._swaps.plain else None
        base = self._unswapped
        if base is None or base.task is None or not base.literal:
            return None
        task = base.task()
        names = self._swaps.swapped(task, structural)
        lines = tuple(str(override.input_line) for override in structural)
        return None if names is None else base_of_task(task, {**base.choices, **names}, lambda: self._composed(lines))


def _of_hydra(override: Override) -> bool:
    return re.split(r"[./@\[]", override.key_or_group, maxsplit=1)[0] == "hydra"
