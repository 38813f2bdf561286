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
    if indent is None:
        return _ENCODER.encode(plain(content))
    return _indented(content, "\n", " " * indent)


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


def _indented(value: Any, line: str, step: str) -> str:
    """Write a value as `json.dumps` does with an indent, but a whole branch at once: it goes piece by piece, in Python.

    Args:
        value: whatever `plain` takes.
        line: a newline and the blanks of this level.
        step: the blanks that a level adds.
    """
    if type(value) is str:
        return _ENCODER.encode(value)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    deeper = line + step
    if isinstance(value, Mapping):
        texts = {str(key): item for key, item in value.items()}
        inner = [f"{_ENCODER.encode(key)}: {_indented(item, deeper, step)}" for key, item in texts.items()]
        return f"{{{deeper}{f',{deeper}'.join(inner)}{line}}}" if inner else "{}"
    if isinstance(value, (list, tuple)):
        inner = [_indented(item, deeper, step) for item in value]
        return f"[{deeper}{f',{deeper}'.join(inner)}{line}]" if inner else "[]"
    return _ENCODER.encode(plain(value))
