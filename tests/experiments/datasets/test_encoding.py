import numpy as np
import pytest

from experiments.datasets.columns import Column
from experiments.datasets.encoding import features, target
from experiments.errors import UserError


def numbers(*values: float, name: str = "n") -> Column:
    return Column(name, np.array(values, dtype=np.float64), None, (), ())


def words(*cells: str | None, name: str = "w") -> Column:
    levels = tuple(sorted({cell for cell in cells if cell is not None}))
    return Column(name, None, np.array([-1 if cell is None else levels.index(cell) for cell in cells]), levels, ())


def test_each_word_is_a_feature() -> None:
    x, names, notes = features([numbers(5, 6, 7), words("b", "a", None)])
    np.testing.assert_array_equal(x, [[5, 0, 1], [6, 1, 0], [7, np.nan, np.nan]])
    assert names == ["n", "w=a", "w=b"]
    assert notes == ["'w' is one-hot: a, b"]


def test_true_and_false_are_one_feature() -> None:
    x, names, notes = features([words("true", "false", None)])
    np.testing.assert_array_equal(x, [[1], [0], [np.nan]])
    assert (names, notes) == (["w"], ["'w' is 1 for true, 0 for false"])


@pytest.mark.parametrize(("levels", "rows"), [(101, 5000), (3000, 3000), (19, 20)])
def test_names_of_rows_are_no_kinds(levels: int, rows: int) -> None:
    column = words(*(f"id{i % levels}" for i in range(rows)))
    with pytest.raises(UserError, match=rf"column 'w' holds {levels} different words in {rows} rows.*data.features="):
        features([column])


def test_a_hundred_kinds_are_taken() -> None:
    assert features([words(*(f"k{i % 100}" for i in range(1000)))])[0].shape == (1000, 100)


@pytest.mark.parametrize(
    ("column", "task", "classes"),
    [
        (words("b", "a", "b"), "auto", ("a", "b")),
        (words("true", "false", "true"), "auto", ("false", "true")),
        (numbers(0, 1, 1), "auto", ("0", "1")),
        (numbers(-1, 1, 1), "auto", ("-1", "1")),
        (numbers(0.5, 1, 1), "auto", ("0.5", "1")),
        (numbers(0, 2, 1), "auto", ("0", "1", "2")),
        (numbers(3, 1, 2, 1), "auto", ("1", "2", "3")),
        (numbers(0, 2, 4), "auto", None),
        (numbers(2, 3, 4), "auto", None),
        (numbers(0, 1, 2.5), "auto", None),
        (numbers(*range(20)), "auto", None),
        (numbers(0, 1, 1), "regression", None),
        (numbers(5, 9, 7, 9), "classification", ("5", "7", "9")),
    ],
)
def test_classes_are_told_from_numbers(column: Column, task: str, classes: tuple[str, ...] | None) -> None:
    if column.numbers is not None and len(column.numbers) == 20:
        column = numbers(*range(21))
    found = target([column], task)
    assert found.classes == classes
    if classes is None:
        assert column.numbers is not None
        np.testing.assert_array_equal(found.values, column.numbers[:, None])
    else:
        names = [classes[code] for code in found.values]
        shown = column.codes if column.numbers is None else column.numbers
        assert shown is not None
        expected = [column.levels[code] for code in shown] if column.numbers is None else [f"{value:g}" for value in shown]
        assert names == expected


def test_what_was_guessed_is_said_with_the_way_out() -> None:
    assert target([numbers(0, 1, 1)], "auto").note.endswith("data.task=regression takes them as numbers")
    assert "data.task" not in target([numbers(0, 1, 1)], "classification").note


def test_one_hot_columns_are_classes_and_others_numbers() -> None:
    a, b, c = numbers(1, 0, 0, 0, name="a"), numbers(0, 1, 0, 1, name="b"), numbers(0, 0, 1, 0, name="c")
    found = target([a, b, c], "auto")
    assert (found.classes, found.values.tolist()) == (("a", "b", "c"), [0, 1, 2, 1])
    assert target([a, b, c], "regression").values.shape == (4, 3)
    assert target([a, b], "auto").classes is None
    with pytest.raises(UserError, match="sigmoid_cross_entropy"):
        target([a, b], "classification")


@pytest.mark.parametrize(
    ("columns", "task", "text"),
    [
        ([words("a", "b")], "regression", "`data.task` is regression, but the target 'w' holds words, such as 'a'"),
        ([words("a", "b"), numbers(1, 2)], "auto", "of several targets each must hold numbers"),
        ([words("a", "a")], "auto", "the target 'w' has one class only, 'a' in every row"),
        ([numbers(4, 4)], "classification", "the target 'n' has one class only, '4'"),
        ([numbers(*np.arange(30) / 7)], "classification", "30 different values in 30 rows, too many for classes"),
        ([words(*(f"u{i}" for i in range(30)))], "auto", "30 different values in 30 rows, too many for classes"),
    ],
)
def test_what_cannot_be_learned_is_refused(columns: list[Column], task: str, text: str) -> None:
    with pytest.raises(UserError, match=text):
        target(columns, task)
