"""What Hydra would compose, or stumble over, and no run can be: lists and mappings in the place of one choice or one value."""

from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

from hydra.core.override_parser.overrides_parser import OverridesParser

from experiments.compose.layers import values_of
from experiments.config.keys import GROUPS, SCALARS, Config, kind_of
from experiments.errors import UserError
from experiments.text.quoting import quote, shortened

_CHOSEN = (*GROUPS, "experiment")
_LISTED = {key for key in SCALARS if any(get_origin(kind) is list for kind in get_args(kind_of(key)))}


def refuse_overrides(overrides: Iterable[str]) -> None:
    """Refuse overrides that replace what a group's choice is, or that give several choices or values where one belongs.

    Args:
        overrides: of a command line.

    Raises:
        UserError: naming the first of them; a file in a conf folder is the way to a new choice.
    """
    for text in overrides:
        key, _, value = text.partition("=")
        group, _, leaf = key.lstrip("+~").partition(".")
        if not group:
            raise UserError(f"an override has the form key=value, got {quote(text)}; `gradstab run --help` lists the keys")
        if group in GROUPS and (leaf in ("_target_", "name") or (not leaf and value.startswith("{"))):
            raise UserError(f"`{shortened(key)}` cannot be overridden; choose with {group}=name, add choices as files and --config-dir")
        if group in _CHOSEN or group in SCALARS:
            _refuse_containers(text)


def _refuse_containers(text: str) -> None:
    try:
        (override,) = OverridesParser.create().parse_overrides([text])
    except Exception:  # Hydra meets it again, and what is wrong with it is then explained
        return
    key = override.key_or_group
    if key not in _CHOSEN and key not in SCALARS:
        return
    refused = dict if key in _LISTED else (list, dict)
    for value in values_of(override):
        if isinstance(value, refused):
            raise UserError(f"`{key}` must be {_wanted(key)}, got {shortened(text.partition('=')[2])}; {_fix(key)}")


def refuse_choices(choices: Mapping[str, Any], config: Config) -> None:
    """Refuse several choices of one group, as a conf file may give them: Hydra takes the last one, key by key.

    Args:
        choices: group -> the name of its choice, as Hydra lists them for a job; a group of several is left out.
        config: of the same job.

    Raises:
        UserError: naming the first such group.
    """
    for group in GROUPS:
        if group in config and not isinstance(choices.get(group), str):
            raise UserError(f"`{group}` must be {_wanted(group)}, got a list; {_fix(group)}")


def _wanted(key: str) -> str:
    return "the name of one choice" if key in _CHOSEN else "one value"


def _fix(key: str) -> str:
    return f"write it without brackets, as in {key}={'name' if key in _CHOSEN else 'value'}"
