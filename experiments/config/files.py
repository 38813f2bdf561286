"""Conf files: the one place that reads them, and that knows which choices a group has."""

import copy
import functools
import io
from pathlib import Path
from typing import Any

from experiments.config.keys import FORMER, Config
from experiments.config.paths import CONF
from experiments.errors import UserError
from experiments.text.quoting import quote


def load(path: Path) -> Config:
    """Read a conf file.

    Args:
        path: of a YAML file, the package's or a user's.

    Returns:
        Its keys as plain containers.

    Raises:
        UserError: the file cannot be read, is no YAML, or is no mapping of keys.
    """
    from omegaconf import OmegaConf  # costly to import, and workers do without

    try:
        text = path.read_text(encoding="utf-8")
        try:
            node = copy.deepcopy(_parsed(text))
        except Exception:  # read once more, so that the error names the file
            node = OmegaConf.to_container(OmegaConf.load(path))
    except Exception as error:  # OmegaConf hands on the YAML parser's own, and the system's
        raise UserError(f"cannot read {path}: {' '.join(str(error).split())}; expected YAML, as in the files of conf") from error
    if not isinstance(node, dict):
        raise UserError(f"{path} must be a mapping of keys, got a {type(node).__name__}; expected YAML, as in the files of conf")
    return {str(key): value for key, value in node.items()}


@functools.lru_cache(maxsize=512)
def _parsed(text: str) -> Any:
    """Return what a file holds; parsing takes a hundred times as long as reading, and a command reads some files twice."""
    from omegaconf import OmegaConf

    return OmegaConf.to_container(OmegaConf.load(io.StringIO(text)))


@functools.cache
def catalogue(group: str) -> list[str]:
    """Return the names of a group's files in the package, which are its choices; names that they had before are left out."""
    return sorted(path.stem for path in (CONF / group).glob("*.yaml") if (group, path.stem) not in FORMER)


def choice(group: str, name: str, key: str | None = None) -> Config:
    """Return the node of a group's choice as its conf file in the package has it.

    Args:
        group: of GROUPS.
        name: of the choice.
        key: that asks for it, where it is not the group's own.

    Returns:
        A node of its own, which may be changed.

    Raises:
        UserError: the group has no such choice.
    """
    if name not in catalogue(group):
        raise UserError(f"`{key or group}` must be one of {', '.join(catalogue(group))}, got {quote(name)}")
    return dict(_choice(group, name))


@functools.cache
def _choice(group: str, name: str) -> Config:
    return load(CONF / group / f"{name}.yaml")


def own_target(group: str, name: str) -> str | None:
    """Return the dotted path of the factory that the package has under a choice's name; None where it has none."""
    return _choice(group, name).get("_target_") if name in catalogue(group) else None
