"""A column of a file becomes numbers, or words; what is neither is told with its row."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bpcore.arrays import Array, FloatArray
from experiments.errors import UserError
from experiments.text.quoting import quote

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_COMMA_NUMBER = r"^[+-]?[0-9]+,[0-9]+$"
_DATE = r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([T ].*)?$|^[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4}$"
_NEARLY = r"^[+-]?[0-9][0-9.,' ]*[%]?$"
"""What was meant as a number and is written otherwise: 1,234.5 or 12 %."""

_INFINITE = r"^[+-]?inf(inity)?$"
_EMPTY = ("", "na", "n/a", "nan", "null", "none", "?", "-", ".")
"""What stands for nothing among numbers, in lower case."""

_EMPTY_WORDS = ("", "na", "n/a", "nan", "null", "?")
"""What stands for nothing among words, where `none` may well be a word."""


@dataclass(frozen=True)
class Problem:
    """Name a cell that cannot be used.

    Args:
        row: of what was read, from 0.
        column: its name.
        what: what is wrong with it.
        empty: whether it is only empty.
    """

    row: int
    column: str
    what: str
    empty: bool = False


@dataclass(frozen=True)
class Column:
    """Hold a column as numbers or as words.

    Args:
        name: of the column.
        numbers: (m,), NaN where a cell is empty; None where it holds words.
        codes: (m,) index into `levels`, −1 where a cell is empty; None where it holds numbers.
        levels: the words, in alphabetical order; false and true for booleans.
        problems: cells that cannot be used, empty ones included.
        note: what was decided, or None.
    """

    name: str
    numbers: FloatArray | None
    codes: Array | None
    levels: tuple[str, ...]
    problems: tuple[Problem, ...]
    note: str | None = None

    @property
    def empty(self) -> Array:
        """Return (m,) whether a cell is empty."""
        if self.numbers is not None:
            return np.isnan(self.numbers)
        assert self.codes is not None
        missing: Array = self.codes < 0
        return missing


def parse(name: str, cells: Any, decimal_comma: bool) -> Column:
    """Turn the cells of a column into numbers, or into words where none of them is a number.

    Args:
        name: of the column.
        cells: pyarrow.ChunkedArray of text or of a type of its own.
        decimal_comma: whether 1,5 may be a number.

    Returns:
        The column, with what is wrong with its cells.

    Raises:
        UserError: it holds dates, or what is neither number nor word.
    """
    import pyarrow as pa

    kind = cells.type.value_type if pa.types.is_dictionary(cells.type) else cells.type
    if pa.types.is_temporal(kind):
        raise _is_date(name)
    if pa.types.is_boolean(kind):
        return _words(name, np.array([None if cell is None else str(cell).lower() for cell in cells.to_pylist()], dtype=object))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return _numeric(name, cells.cast(kind).cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or "string_view" in str(kind):
        return _text(name, cells.cast(pa.string()).fill_null(""), decimal_comma)
    raise UserError(f"column {name!r} holds {kind}, neither numbers nor words; leave it out with data.features=[…]")


def _is_date(name: str) -> UserError:
    return UserError(
        f"column {name!r} holds dates; turn them into numbers, such as days since the first, or leave the column out with data.features=[…]"
    )


def _numeric(name: str, values: Array, note: str | None = None) -> Column:
    numbers = np.array(values, dtype=np.float64)  # a copy: Arrow's memory cannot be written
    problems = [Problem(int(row), name, "is empty", empty=True) for row in np.flatnonzero(np.isnan(numbers))]
    problems += [Problem(int(row), name, "is infinite") for row in np.flatnonzero(np.isinf(numbers))]
    return Column(name, numbers, None, (), tuple(problems), note)


def _text(name: str, cells: Any, decimal_comma: bool) -> Column:
    """Tell numbers from words: a column with both has problems."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = pc.utf8_trim_whitespace(cells)
    lower = pc.utf8_lower(cells)
    empty = pc.is_in(lower, pa.array(_EMPTY))
    number, comma = pc.match_substring_regex(cells, _NUMBER), pc.match_substring_regex(cells, _COMMA_NUMBER)
    commas, note = pc.any(comma).as_py() and pc.all(pc.or_(pc.or_(number, comma), empty)).as_py(), None
    if commas and decimal_comma and not pc.any(pc.match_substring(cells, ".")).as_py():  # with points, too, either could be the thousands
        cells, number, note = pc.replace_substring(cells, ",", "."), pc.or_(number, comma), f"{name!r} has decimal commas"
    numbers = pc.or_(number, pc.match_substring_regex(lower, _INFINITE))
    word = pc.invert(pc.or_(numbers, empty))
    if not pc.any(word).as_py():
        return _numeric(name, pc.if_else(numbers, cells, None).cast(pa.float64()).to_numpy(zero_copy_only=False), note)
    if pc.all(pc.or_(empty, pc.match_substring_regex(cells, _DATE))).as_py():
        raise _is_date(name)
    nearly = pc.all(pc.or_(pc.or_(numbers, empty), pc.match_substring_regex(cells, _NEARLY)))
    if pc.any(numbers).as_py() or nearly.as_py():
        return _mixed(name, cells, numbers, word, empty)
    missing = pc.is_in(lower, pa.array(_EMPTY_WORDS))
    boolean = pc.all(pc.or_(missing, pc.is_in(lower, pa.array(["false", "true"])))).as_py()
    texts = pc.if_else(missing, None, lower if boolean else cells)
    return _words(name, np.array(texts.to_pylist(), dtype=object))


def _mixed(name: str, cells: Any, numbers: Any, word: Any, empty: Any) -> Column:
    """Accuse the rarer kind of a column that holds both; the numbers where there are as many."""
    is_number, is_word, is_empty = (np.asarray(mask.to_numpy(zero_copy_only=False), dtype=bool) for mask in (numbers, word, empty))
    words = is_word.sum() <= is_number.sum() or not is_number.any()
    accused, what = (is_word, "no number") if words else (is_number, "a number among words")
    problems = [Problem(int(row), name, "is empty", empty=True) for row in np.flatnonzero(is_empty)]
    problems += [Problem(int(row), name, f"holds {quote(cells[int(row)].as_py())}, {what}") for row in np.flatnonzero(accused)]
    problems.sort(key=lambda problem: problem.row)
    return Column(name, np.full(len(cells), np.nan), None, (), tuple(problems))


def _words(name: str, cells: Array) -> Column:
    missing = np.array([cell is None for cell in cells])
    levels, inverse = np.unique(cells[~missing].astype(str), return_inverse=True)
    codes = np.full(len(cells), -1, dtype=np.int64)
    codes[~missing] = inverse
    problems = [Problem(int(row), name, "is empty", empty=True) for row in np.flatnonzero(missing)]
    return Column(name, None, codes, tuple(str(level) for level in levels), tuple(problems))
