import pytest

from tests.every import every, hold


def check(number: int, limit: int) -> None:
    assert number < limit, f"{number} is too large"


def test_a_failure_names_every_case_that_fails_and_no_other() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        hold([(1, 2), (3, 2), (5, 6), (7, 6)], check)
    assert [str(error).partition("\n")[0] for error in caught.value.exceptions] == ["3 is too large", "7 is too large"]
    assert [error.__notes__ for error in caught.value.exceptions] == [["case: 3-2"], ["case: 7-6"]]


def test_cases_are_grouped_and_none_is_lost() -> None:
    seen = []

    @every([(1, "a"), (2, "b"), (3, "a")], by=lambda _, name: name)
    def test(number: int, name: str) -> None:
        seen.append((number, name))

    (mark,) = test.pytestmark  # type: ignore[attr-defined]
    assert mark.args == ("group", ["a", "b"])
    for group in mark.args[1]:
        test(group)
    assert seen == [(1, "a"), (3, "a"), (2, "b")]


def test_a_test_of_nothing_is_none() -> None:
    with pytest.raises(LookupError, match="nothing to test"):
        every([])
