"""Causes as tables hold them, and names as sentences write them: the one place that reads and writes both."""

import json
from collections.abc import Mapping
from typing import Any

from experiments.text.numbers import missing


def causes_of(run: Mapping[Any, Any]) -> list[dict[str, Any]]:
    """Return the causes that a row of the runs table holds, the weightiest first; none where it holds none.

    Args:
        run: the row.
    """
    return causes_in(run.get("causes"))


def causes_in(cell: Any) -> list[dict[str, Any]]:
    """Return the causes that a cell of the runs table holds, the weightiest first; none where it is empty."""
    found: list[dict[str, Any]] = [] if missing(cell) or not cell else json.loads(str(cell))
    return found


def words(name: str) -> str:
    """Return a name as a sentence writes it: learning rate high."""
    return name.replace("_", " ")
