"""Values applied to plain containers: what OmegaConf makes of a value is asked once, and the config itself is not copied.

A job of a sweep differs from its neighbors by a few scalars. OmegaConf converts each to the declared type of its place,
whatever stands elsewhere; so one config, on which values are tried, serves for all jobs.
"""

import copy
import re
from collections.abc import Sequence
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, OmegaConf

from experiments.config.node import Node

_KEPT = 4096
_KEY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_SCALARS = (int, float, str, bool, type(None))


class PlainBase:
    """Hold a config without interpolations as plain containers, to which values are applied.

    Args:
        config: its own from now on; values are tried on it.

    Raises:
        OmegaConfBaseException: a value is missing.
    """

    def __init__(self, config: DictConfig) -> None:
        self._tried = config
        content = OmegaConf.to_container(config, resolve=False, throw_on_missing=True)
        assert isinstance(content, dict)
        self._content = {str(key): Node(value) if _is_node(value) else value for key, value in content.items()}
        self._loose = {key: value for key, value in self._content.items() if isinstance(value, (dict, list)) and not _is_node(value)}
        self._converted: dict[str, tuple[list[str], Any]] = {}
        self._unchanged: set[tuple[str, type]] = set()

    def apply(self, overrides: Sequence[Override]) -> dict[str, Any] | None:
        """Return the containers with values in their places.

        Args:
            overrides: of values.

        Returns:
            Containers, which share with others the nodes that no value changes and nobody can; None where an override does more than
            to replace one scalar by another.

        Raises:
            HydraException: a value is refused.
        """
        places = [self._convert(override) for override in overrides]
        result = self._content | copy.deepcopy(self._loose)
        for place in places:
            if place is None:
                return None
            (*parents, leaf), value = place
            node = result
            for parent in parents:
                node[parent] = copy.deepcopy(node[parent])
                node = node[parent]
            node[leaf] = value
        return result

    def _convert(self, override: Override) -> tuple[list[str], Any] | None:
        """Return where the value goes, and what it is there; None where it does more than to replace a scalar."""
        line = str(override.input_line)
        if line not in self._converted:
            key, value = override.key_or_group, override.value()
            if (key, type(value)) in self._unchanged and override.type == OverrideType.CHANGE and override.package is None:
                return key.split("."), value
            if not (_is_plain(override) and self._holds_scalar(override.key_or_group.split("."))):
                return None
            ConfigLoaderImpl._apply_overrides_to_config([override], self._tried)
            if len(self._converted) >= _KEPT:
                self._converted.clear()
            found = OmegaConf.select(self._tried, key)
            if type(value) in (int, float) and type(found) is type(value) and found == value:
                self._unchanged.add((key, type(value)))  # a place that takes one number as it is takes every one of its type so
            self._converted[line] = key.split("."), found
        return self._converted[line]

    def _holds_scalar(self, path: list[str]) -> bool:
        node: Any = self._content
        for key in path:
            if not isinstance(node, dict) or key not in node:
                return False
            node = node[key]
        return isinstance(node, _SCALARS)


def _is_plain(override: Override) -> bool:
    value = override.value()
    literal = not isinstance(value, str) or ("${" not in value and value != "???")
    plain = override.type == OverrideType.CHANGE and override.package is None and _KEY.fullmatch(override.key_or_group) is not None
    return plain and literal and isinstance(value, _SCALARS)


def _is_node(value: Any) -> bool:
    """Tell whether something is a group's node: keys with scalars, or lists of scalars."""
    kinds = (*_SCALARS, list)
    return isinstance(value, dict) and all(isinstance(key, str) and isinstance(item, kinds) for key, item in value.items())
