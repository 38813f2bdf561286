import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from experiments.datasets.columns import parse
from experiments.errors import UserError


def text(*cells: str | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(cells, pa.string())])


def test_numbers_are_those_of_python_to_the_last_bit() -> None:
    cells = ["1", " -2.5 ", "+3", ".5", "4.", "1e-7", "-1E+3", "0.1", "179769313486231570e291", "5e-324", "2.2250738585072011e-308"]
    column = parse("c", text(*cells), decimal_comma=False)
    assert column.numbers is not None
    assert column.numbers.tolist() == [float(cell) for cell in cells]
    assert column.problems == ()


@pytest.mark.parametrize("empty", ["", " ", "NA", "n/a", "NaN", "null", "None", "?", "-", "."])
def test_what_stands_for_nothing_among_numbers(empty: str) -> None:
    column = parse("c", text("1", empty, "3"), decimal_comma=False)
    assert column.empty.tolist() == [False, True, False]
    assert [(problem.row, problem.empty) for problem in column.problems] == [(1, True)]


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e400"])
def test_infinities_are_problems(cell: str) -> None:
    (problem,) = parse("c", text("1", cell), decimal_comma=False).problems
    assert (problem.row, problem.what, problem.empty) == (1, "is infinite", False)


@pytest.mark.parametrize("cell", ["x", "1_000", "0x10", "1,5", "12 m", "--1", "1e", "١"])
def test_a_word_among_numbers_is_a_problem(cell: str) -> None:
    (problem,) = parse("c", text("1", "2", cell), decimal_comma=False).problems
    assert (problem.row, problem.what) == (2, f"holds {cell!r}, no number")


def test_a_number_among_words_is_a_problem() -> None:
    (problem,) = parse("c", text("S", "M", "38"), decimal_comma=False).problems
    assert (problem.row, problem.what) == (2, "holds '38', a number among words")


def test_words_are_levels_in_alphabetical_order() -> None:
    column = parse("c", text("new", "old", " new", "", "none"), decimal_comma=False)
    assert column.levels == ("new", "none", "old")
    assert column.codes is not None
    assert column.codes.tolist() == [0, 2, 0, -1, 1]


def test_booleans_are_false_and_true() -> None:
    for cells in (text("True", "FALSE", "true"), pa.chunked_array([pa.array([True, False, True])])):
        column = parse("c", cells, decimal_comma=False)
        assert column.levels == ("false", "true")
        assert column.codes is not None
        assert column.codes.tolist() == [1, 0, 1]


def test_decimal_commas_are_numbers_where_columns_are_not_separated_by_commas() -> None:
    column = parse("c", text("1,5", "2", "", "-0,25"), decimal_comma=True)
    assert column.numbers is not None
    np.testing.assert_array_equal(column.numbers, [1.5, 2, np.nan, -0.25])
    assert column.note == "'c' has decimal commas"
    assert parse("c", text("1", "2"), decimal_comma=True).note is None


@pytest.mark.parametrize(
    ("cells", "comma"),
    [
        (("1,5", "2,5"), False),
        (("1,5", "2.5"), True),
        (("1.234,5", "2,5"), True),
        (("1,234,567", "1,234"), False),
        (("12 %", "7 %"), False),
    ],
)
def test_numbers_that_are_written_otherwise_are_problems(cells: tuple[str, ...], comma: bool) -> None:
    problems = parse("c", text(*cells), decimal_comma=comma).problems
    assert problems
    assert all("no number" in problem.what or "number among words" in problem.what for problem in problems)


@pytest.mark.parametrize(
    "cells",
    [
        text("2020-01-31", "2020-02-01 12:30", ""),
        text("31.1.2020", "1.2.2020"),
        text("1/31/2020"),
        pa.chunked_array([pa.array(pd.to_datetime(["2020-01-31"]))]),
        pa.chunked_array([pa.array([1], pa.duration("s"))]),
    ],
)
def test_dates_are_refused_with_what_to_do(cells: pa.ChunkedArray) -> None:
    with pytest.raises(UserError, match="column 'c' holds dates; turn them into numbers"):
        parse("c", cells, decimal_comma=False)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, None, 3]), [1, np.nan, 3]),
        (pa.array([1.5, np.nan], pa.float32()), [1.5, np.nan]),
        (pa.array([True, False]).cast(pa.int8()), [1, 0]),
        (pa.array([2], pa.decimal128(5, 2)), [2]),
        (pa.array([None, None]), [np.nan, np.nan]),
        (pa.array([7, 8, 7]).dictionary_encode(), [7, 8, 7]),
    ],
)
def test_types_of_parquet(array: pa.Array, expected: list[float]) -> None:
    column = parse("c", pa.chunked_array([array]), decimal_comma=False)
    assert column.numbers is not None
    np.testing.assert_array_equal(column.numbers, expected)


def test_categories_are_words() -> None:
    column = parse("c", pa.chunked_array([pa.array(["u", None, "v"]).dictionary_encode()]), decimal_comma=False)
    assert (column.levels, column.empty.tolist()) == (("u", "v"), [False, True, False])


def test_what_is_neither_number_nor_word_is_refused() -> None:
    with pytest.raises(UserError, match="column 'c' holds list"):
        parse("c", pa.chunked_array([pa.array([[1]])]), decimal_comma=False)
