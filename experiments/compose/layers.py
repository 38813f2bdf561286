"""Lists of activations: `activation=[tanh,relu]` names one of each hidden layer, where Hydra would merge two choices of a group."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override

_GROUP, _KEY, _ZIP = "activation=", "activations=", "hydra.sweeper.zip="
_NAMED = re.compile(r"\bactivation\b(?!\.)")


def by_layer(overrides: Sequence[str]) -> list[str]:
    """Return overrides in which a list in the place of the activation's choice is one of a key of its own, `activations`.

    Args:
        overrides: of a command line; of several that set the activation the last counts, as ever.

    Returns:
        Overrides that Hydra understands.
    """
    if not any("[" in text and text.startswith((_GROUP, _KEY)) for text in overrides):
        return list(overrides)
    found: list[str] = []
    for text in overrides:
        if text.startswith((_GROUP, _KEY)):
            found = [other for other in found if not other.startswith(_KEY)]
            if text.startswith(_GROUP) and _lists(text):
                text = _KEY + text.removeprefix(_GROUP)
        found.append(text)
    if any(text.startswith(_KEY) for text in found):  # axes that advance together are named as they are typed
        found = [_NAMED.sub("activations", text) if text.startswith(_ZIP) else text for text in found]
    return found


def _lists(text: str) -> bool:
    try:
        (override,) = OverridesParser.create().parse_overrides([text])
    except Exception:  # Hydra meets it again, and what is wrong with it is then explained
        return False
    return any(isinstance(value, list) for value in values_of(override))


def values_of(override: Override) -> Iterable[Any]:
    """Return the value of an override, or the values that it sweeps over."""
    value = override.value()
    return value.list if isinstance(value, ChoiceSweep) else [value]
