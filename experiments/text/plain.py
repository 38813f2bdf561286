"""Values as JSON, which has no infinity, no NaN, no arrays and no paths."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from experiments.text.numbers import missing


def plain(value: Any) -> Any:
    """Return a value that JSON can hold, through all levels of mappings, lists and arrays.

    Args:
        value: of plain containers, numbers of Python or numpy, texts and paths.

    Returns:
        Dicts, lists, texts, numbers, booleans and None; NaN and what else is missing is None, infinities are the texts
        Infinity and -Infinity.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if missing(value):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return str(value) if isinstance(value, Path) else value


def as_json(content: Any, indent: int | None = 2) -> str:
    """Write content as JSON that every reader takes, without a newline at its end.

    Args:
        content: whatever `plain` takes.
        indent: blanks a level; None for one line.
    """
    return json.dumps(plain(content), indent=indent, ensure_ascii=False, allow_nan=False)
