"""Checks of every key alone; each refusal is one line that says how to fix it."""

import functools
import inspect
import json
import logging
import math
import sys
import types
import typing
from collections.abc import Callable
from typing import Any

from experiments.config.building import KINDS, build, built, facts, located
from experiments.config.files import catalogue
from experiments.config.keys import SCALARS, Config, Record, kind_of
from experiments.config.node import Node, once
from experiments.errors import UserError
from experiments.text.quoting import quote, shortened


def _types(annotation: Any) -> tuple[type, ...]:
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        return typing.get_args(annotation)
    return (annotation,)


_LARGEST_INTEGER = 2**63 - 1
"""What the tables can hold."""

_WORDS: dict[Any, str] = {
    int: "an integer",
    float: "a number",
    str: "a word",
    bool: "true or false",
    type(None): "null",
    list[str]: "a list of words",
    list[int]: "a list of integers",
}


def _coerce(key: str, value: Any, annotation: Any, single: bool = False) -> Any:
    """Return the value as its declared type, so that 1 and 1.0 are the same run; refuse another type.

    `single` says that a list of one word is that word, so that [a] and a are the same run.
    """
    allowed = _types(annotation)
    if value is None and type(None) in allowed:
        return None
    if isinstance(value, bool):
        if bool in allowed:
            return value
    elif isinstance(value, int) and int in allowed:
        if abs(value) > _LARGEST_INTEGER:
            raise UserError(f"`{key}` must be an integer below 2^63, got {quote(value)}")
        return value
    elif isinstance(value, float) and float in allowed:
        return value
    elif isinstance(value, int) and float in allowed and abs(value) <= sys.float_info.max:
        return float(value)
    elif isinstance(value, float) and int in allowed and value.is_integer():
        return int(value)
    elif isinstance(value, str) and str in allowed:
        return value
    elif isinstance(value, list) and list[str] in allowed and value and all(isinstance(word, str) for word in value):
        return value[0] if single and len(value) == 1 and str in allowed else value
    elif isinstance(value, list) and list[int] in allowed and value:
        return [_coerce(key, entry, int) for entry in value]
    expected = " or ".join(_WORDS.get(kind, kind.__name__) for kind in allowed)
    raise UserError(f"`{key}` must be {expected}, got {quote(value)}{_quoting(key, value, allowed)}")


def _quoting(key: str, value: Any, allowed: tuple[type, ...]) -> str:
    """Say how to write names that look like numbers, where lists of words are taken, which are names of columns."""
    strange = [word for word in (value if isinstance(value, list) else [value]) if not isinstance(word, str)]
    if list[str] not in allowed or not strange or isinstance(strange[0], (dict, list)):
        return ""
    return f"; a name that looks like a number is quoted, as in '{key}=\"{strange[0]}\"'"


def check_scalar(key: str, value: Any) -> Any:
    """Check a scalar key.

    Args:
        key: of SCALARS.
        value: as composed.

    Returns:
        The value as its declared type.

    Raises:
        UserError: it is of another type, or out of range.
    """
    if type(value) in (int, float) and value == 0:  # 0.0 and -0.0 are equal, but not the same run
        return _check_scalar(key, value)
    return _check_scalar(key, value) if isinstance(value, (list, dict)) else _known_scalar(key, value)


def _check_scalar(key: str, value: Any) -> Any:
    declared = SCALARS[key]
    value = _coerce(key, value, kind_of(key))
    meta = declared.metadata
    fix = f"; {meta['fix']}" if meta["fix"] else ""
    if meta["choices"] and value not in meta["choices"]:
        raise UserError(f"`{key}` must be {' or '.join(meta['choices'])}, got {quote(value)}")
    if meta["at_least"] is not None and value is not None:
        kind = "an integer" if int in _types(kind_of(key)) else "a finite number"
        for entry in value if isinstance(value, list) else [value]:
            if not (math.isfinite(entry) and entry >= meta["at_least"]):
                raise UserError(f"`{key}` must be {kind} ≥ {meta['at_least']}, got {quote(entry)}{fix}")
    return value


_known_scalar = functools.lru_cache(maxsize=1024, typed=True)(_check_scalar)
"""The same, where the runs of a sweep share most of their values."""


def check_group(group: str, node: Any) -> Config:
    """Check a group's keys; the runs of a sweep share most of their nodes, which are checked once.

    Args:
        group: of GROUPS.
        node: as composed.

    Returns:
        The node with all of the factory's arguments, each of its declared type; equal nodes give the same object.

    Raises:
        UserError: a key is unknown, of another type, or the factory refuses it.
    """
    return once(node, group, lambda node: _check_serialized(group, json.dumps(node, sort_keys=False, default=repr)))


@functools.lru_cache(maxsize=4096)
def _check_serialized(group: str, node: str) -> Config:
    return Node(_check_node(group, json.loads(node)))


def _check_node(group: str, node: Any) -> Config:
    """Check a group's keys against its factory's signature and build it once, so that ranges are checked too."""
    if not isinstance(node, dict) or not isinstance(node.get("name"), str) or ("_target_" not in node and group != "record"):
        raise UserError(f"`{group}` must be one of {', '.join(catalogue(group))}, got {quote(node)}; choose with {group}=name")
    factory: Callable[..., Any] = Record if group == "record" else _factory(group, node["_target_"])
    hints = typing.get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)
    known = list(inspect.signature(factory).parameters)
    defaults = {key: p.default for key, p in inspect.signature(factory).parameters.items() if key != "name" and p.default is not p.empty}
    checked: Config = {}
    for key, value in {**node, **{key: default for key, default in defaults.items() if key not in node}}.items():
        if key in ("_target_", "name"):
            checked[key] = value
        elif key not in known:
            raise UserError(f"`{group}.{shortened(key)}` is not a key of {group}={node['name']}; its keys: {', '.join(known) or 'none'}")
        else:
            checked[key] = _coerce(f"{group}.{key}", value, hints[key], single=True)
    if group != "record":
        _check_built(group, checked)
    return checked


def _factory(group: str, target: str) -> Callable[..., Any]:
    log = logging.getLogger("hydra.utils")  # it prints what it raises as well
    before, log.disabled = log.disabled, True
    try:
        found: Callable[..., Any] = located(target)
        inspect.signature(found)  # some of what is built into Python has none
        return found
    except Exception as error:  # whatever importing a stranger's module raises
        raise UserError(f"`{group}._target_` must be the dotted path of a factory, got {quote(target)}: {error}".splitlines()[0]) from error
    finally:
        log.disabled = before


def _check_built(group: str, node: Config) -> None:
    """Build a node, so that its ranges are checked by the factory itself."""
    try:
        if group == "data":
            facts(node)
        elif group in KINDS:
            built(KINDS[group], node)
        else:
            build(node)
    except UserError:
        raise
    except ValueError as error:
        raise UserError(str(error).replace("`", f"`{group}.", 1)) from error
    except Exception as error:  # whatever a factory raises on what it was given
        raise UserError(f"`{group}`: {node['_target_']} failed with {type(error).__name__}: {error}".replace("\n", " ")) from error
