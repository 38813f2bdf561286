"""Another choice of a group without another composition: where that changes one node and nothing else, the node is put in its place.

Hydra merges files in the order of a defaults list. Where the list is plain, a choice's file stands under the group's name and nothing
else does; so the config with another choice is the same config with the other file there. Whatever is not as plain is Hydra's.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.override_parser.types import Override, OverrideType
from omegaconf import DictConfig, OmegaConf, open_dict

_WORD = re.compile(r"[A-Za-z]\w*")


class Swaps:
    """Put the files of groups' choices into a config that was composed without overrides.

    Args:
        repository: of the config files, Hydra's.
        primary: the name of the config that has the defaults list.
        choices: group -> the choice in that config.
    """

    def __init__(self, repository: Any, primary: str, choices: Mapping[str, Any]) -> None:
        self._repository = repository
        self._choices = {group: name for group, name in choices.items() if _WORD.fullmatch(group) and isinstance(name, str)}
        loaded = repository.load_config(primary)
        entries = [str(vars(entry)) for entry in loaded.defaults_list or ()]
        self.plain = not any("${" in entry or "???" in entry for entry in entries)
        self._nodes: dict[tuple[str, str], Any] = {}
        self.plain = self.plain and all(self._node(group, name) is not None for group, name in self._choices.items())

    def swapped(self, config: DictConfig, overrides: Sequence[Override]) -> dict[str, str] | None:
        """Change the choices of groups.

        Args:
            config: without Hydra's node, composed without overrides; changed in place.
            overrides: of groups.

        Returns:
            group -> choice; None where one of them does more than to put one file in place of another.
        """
        names: dict[str, str] = {}
        for override in overrides:
            group, name = override.key_or_group, override.value()
            if override.type != OverrideType.CHANGE or override.package is not None or group in names or group not in self._choices:
                return None
            if not (isinstance(name, str) and _WORD.fullmatch(name)) or not self.plain:
                return None
            ours, theirs = self._node(group, self._choices[group]), self._node(group, name)
            if theirs is None or OmegaConf.to_container(config[group], resolve=False) != ours:
                return None
            names[group] = name
        with open_dict(config):
            for group, name in names.items():
                config[group] = self._node(group, name)
        return names

    def _node(self, group: str, name: str) -> Any:
        """Return the content of a choice's file; None where it is merged in some other way than under the group's name alone."""
        if (group, name) not in self._nodes:
            loaded = self._repository.load_config(f"{group}/{name}")
            plain = loaded is not None and isinstance(loaded.config, DictConfig) and not loaded.is_schema_source
            plain = plain and not loaded.defaults_list and not any(value for value in loaded.header.values())
            self._nodes[group, name] = OmegaConf.to_container(loaded.config, resolve=False) if plain else None
        return self._nodes[group, name]
