"""Keys alone: here those that take a list of words; the others are refused with their configs, in test_validation."""

from typing import Any

import pytest

from experiments.config.checking import check_group
from experiments.errors import UserError
from tests.experiments.config import factories_of_lists


def check(**keys: Any) -> Any:
    return check_group("executor", {"_target_": f"{factories_of_lists.__name__}.make", "name": "own", **keys})


def test_a_list_of_words_is_taken() -> None:
    assert check(words=["a", "b"])["words"] == ["a", "b"]
    assert check(either=["a", "b"])["either"] == ["a", "b"]
    assert check(either="a")["either"] == "a"
    assert check()["words"] is None


def test_a_list_of_one_word_is_the_word_where_both_are_taken() -> None:
    assert check(either=["a"])["either"] == "a"
    assert check(words=["a"])["words"] == ["a"]


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"words": "a"}, "`executor.words` must be a list of words or null, got 'a'"),
        ({"words": []}, "`executor.words` must be a list of words or null, got []"),
        ({"words": ["a", 1]}, "`executor.words` must be a list of words or null, got ['a', 1]; a name that looks like a number is quoted"),
        ({"either": 3}, "`executor.either` must be a word or a list of words, got 3; a name that looks like a number is quoted, as in"),
        ({"words": [["a"]]}, "`executor.words` must be a list of words or null, got [['a']]"),
        ({"number": [1, 2]}, "`executor.number` must be a number, got [1, 2]"),
        ({"word": ["a"]}, "`executor.word` must be a word, got ['a']"),
    ],
)
def test_other_lists_are_refused_in_one_line(keys: dict[str, Any], text: str) -> None:
    with pytest.raises(UserError) as error:
        check(**keys)
    assert str(error.value).startswith(text)
    assert "\n" not in str(error.value)
