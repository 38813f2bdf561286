"""What jobs that choose the same groups share: the config before values are applied, and the files that it was read from."""

import copy
import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf, open_dict

from experiments.compose.plain_values import PlainBase


@dataclass(frozen=True)
class Base:
    """Hold a config before values are applied.

    Args:
        whole: makes a copy of it.
        task: makes a copy of it without the hydra node; None where that could resolve to something else.
        plain: its values alone; None where it has an interpolation, or a value is missing.
        literal: whether the task's part has no interpolation.
        choices: of its groups.
    """

    whole: Callable[[], DictConfig]
    task: Callable[[], DictConfig] | None
    plain: PlainBase | None
    literal: bool
    choices: Mapping[str, Any]


def base_of(config: DictConfig) -> Base:
    """Return the base that a composed config is; copies are all that is taken of it.

    Args:
        config: with Hydra's node.
    """
    whole = _copies(config)
    task = whole()
    with open_dict(task):
        del task["hydra"]
    return base_of_task(task, dict(config.hydra.runtime.choices), whole)


def base_of_task(task: DictConfig, choices: Mapping[str, Any], whole: Callable[[], DictConfig]) -> Base:
    """Return the base that a task's config is.

    Args:
        task: without Hydra's node; it is kept.
        choices: of its groups.
        whole: makes a copy of the config with Hydra's node.
    """
    texts = texts_of(OmegaConf.to_container(task, resolve=False))
    alone = not any(calls_resolver(text) for text in texts)
    literal = not any("${" in text for text in texts)
    complete = literal and "???" not in texts
    copies = _copies(task)
    return Base(whole, copies if alone else None, PlainBase(copies()) if complete else None, literal, choices)


def _copies(config: DictConfig) -> Callable[[], DictConfig]:
    """Return what makes copies: unpickling is several times faster than copying, where it is possible."""
    try:
        frozen = pickle.dumps(config, pickle.HIGHEST_PROTOCOL)
        pickle.loads(frozen)
        return lambda: pickle.loads(frozen)
    except Exception:  # such as a class that was defined inside a function
        pass
    return lambda: copy.deepcopy(config)


def texts_of(node: Any) -> list[str]:
    """Return every string value in plain containers."""
    if isinstance(node, dict):
        return [text for value in node.values() for text in texts_of(value)]
    if isinstance(node, list):
        return [text for value in node for text in texts_of(value)]
    return [node] if isinstance(node, str) else []


def calls_resolver(text: str) -> bool:
    """Tell whether a text may call a resolver, such as ${oc.env:HOME}; a plain ${key} does not."""
    return "${" in text and ":" in text


class KeptFiles:
    """Stand in for Hydra's repository of config files: each file is read once, and handed out as a copy.

    Args:
        repository: Hydra's.
        kept: pickled files by path.
    """

    def __init__(self, repository: Any, kept: dict[str, bytes]) -> None:
        self._repository, self._kept = repository, kept

    def __getattr__(self, name: str) -> Any:
        if name == "_repository":  # asked for while this object is being copied
            raise AttributeError(name)
        return getattr(self._repository, name)

    def __deepcopy__(self, memo: dict[int, Any]) -> "KeptFiles":
        """Return what a composition works on: it may change its search path, but not what was read."""
        return KeptFiles(copy.deepcopy(self._repository, memo), self._kept)

    def initialize_sources(self, config_search_path: Any) -> None:
        """Read from other folders from now on, of whose files none is kept."""
        self._repository.initialize_sources(config_search_path)
        self._kept = {}

    def load_config(self, config_path: str) -> Any:
        """Return a file's config, whoever asked before."""
        if config_path not in self._kept:
            loaded = self._repository.load_config(config_path)
            try:
                self._kept[config_path] = pickle.dumps(loaded, pickle.HIGHEST_PROTOCOL)
            except Exception:  # such as a class that was defined inside a function
                return loaded
        return pickle.loads(self._kept[config_path])
