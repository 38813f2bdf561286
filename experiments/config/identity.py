"""The identity of a run, and its config as tables and snapshots have it."""

import hashlib
import json
import math
from typing import Any

from experiments.config.building import facts
from experiments.config.files import own_target
from experiments.config.keys import FORMER, LATER, LATER_GROUPS, PATHS_TO_DATA, UNIDENTIFYING, Config
from experiments.config.node import once

ARITHMETIC_VERSION = 6
"""Raised whenever the numbers of the core, or what identifies a run, change; part of every run's identity.

4: a factory of the package is identified by the name of its choice, and no longer by its path.
5: the engine is compiled; sums are made in another order, and the elementary functions are its own.
6: the sharpness at the start comes of compiled gradients; the steps table has the learning rate in force.
"""


_FIRST_NAMES = {(group, today): former for (group, former), today in FORMER.items()}


def run_id(config: Config) -> str:
    """Return the identity of a run: a hash of all that changes a number or a row.

    Args:
        config: validated.

    Returns:
        16 hexadecimal digits of the SHA-256 of the config as sorted JSON, the checksum of the data and the version
        of the core's arithmetic. The paths of the package's own factories are no part of it.
    """
    texts = {key: _text(key, value) for key, value in config.items() if key not in UNIDENTIFYING}
    texts["data_checksum"] = json.dumps(facts(config["data"]).checksum)
    texts["arithmetic_version"] = json.dumps(ARITHMETIC_VERSION)
    content = ", ".join([f'"{key}": {texts[key]}' for key in sorted(texts) if texts[key]])
    return hashlib.sha256(f"{{{content}}}".encode()).hexdigest()[:16]


def _text(key: str, value: Any) -> str:
    """Return a key's value as sorted JSON; nothing for a group that came later and stands for what was before."""
    if isinstance(value, dict):
        return once(value, f"identity of {key}", lambda node: _text_of_group(key, node))
    plain = type(value) is int or (type(value) is float and math.isfinite(value))  # which JSON writes as Python does, but not as fast
    return repr(value) if plain else json.dumps(value)


def _text_of_group(group: str, node: Config) -> str:
    kept = _identifying(group, node)
    return "" if group in LATER_GROUPS and kept == LATER_GROUPS[group] else json.dumps(kept, sort_keys=True)


def _identifying(group: str, node: Config) -> Config:
    kept = {
        key: value
        for key, value in node.items()
        if key != "_target_" and (group, key) not in PATHS_TO_DATA and not ((group, key) in LATER and LATER[group, key] == value)
    }
    if "name" in kept:
        kept["name"] = _FIRST_NAMES.get((group, kept["name"]), kept["name"])
    target = elsewhere(group, node)
    return kept if target is None else {**kept, "_target_": target}


def elsewhere(group: str, node: Config) -> str | None:
    """Return the dotted path of a factory that comes from elsewhere.

    A factory of the package is known by the name of its conf file and may move; one that a user's conf folder brings, or
    that stands under a name of the package's with another path, is known by its path.

    Args:
        group: of GROUPS.
        node: validated.

    Returns:
        The path; None for the package's own choice.
    """
    target: str | None = node.get("_target_")
    return None if target == own_target(group, node["name"]) else target


def flatten(config: Config) -> Config:
    """Return the dotted columns of the runs table: scalars, each group's choice, its keys as `group.key`.

    Args:
        config: validated.

    Returns:
        Column -> value, without the keys that change nothing.
    """
    columns: Config = {}
    for key, value in config.items():
        if key in UNIDENTIFYING:
            continue
        if isinstance(value, dict):
            columns |= once(value, f"columns of {key}", lambda node, key=key: _columns(key, node))  # type: ignore[misc]
        else:
            columns[key] = cell(value)
    return columns


def _columns(group: str, node: Config) -> Config:
    return {group: node["name"]} | {f"{group}.{key}": cell(value) for key, value in node.items() if key not in ("_target_", "name")}


def cell(value: Any) -> Any:
    """Return a value as the runs table holds it: a list as one text, in JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value


def uncell(value: Any) -> Any:
    """Return what `cell` was given."""
    if isinstance(value, str) and value.startswith("["):
        try:
            return json.loads(value)
        except ValueError:  # a word like any other
            pass
    return value


def nested(config: Config) -> Config:
    """Return the config as a reader of a snapshot wants it: groups as {name, …}, no import paths."""
    return {
        key: {sub: item for sub, item in value.items() if sub != "_target_"} if isinstance(value, dict) else value
        for key, value in config.items()
        if key not in UNIDENTIFYING
    }
