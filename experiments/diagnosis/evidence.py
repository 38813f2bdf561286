"""Causes as tables hold them, and what a row is called by them: the one place that reads them."""

import json
from collections.abc import Mapping
from typing import Any

from experiments.diagnosis.outcome import ILL, LITTLE
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


def calls_ill(run: Any) -> bool:
    """Return whether a diagnosis calls a net ill: it did not learn, or it learned little and a cause is there to explain that.

    A signal or a cause beside a net that learned is a remark: it says what is there, and not that the net fails of it.

    Args:
        run: its row of the runs table, a mapping or a series.
    """
    little = run["outcome"] == "learns" and not missing(run["skill"]) and run["skill"] < LITTLE
    return run["outcome"] in ILL or (little and bool(causes_of(run)))
