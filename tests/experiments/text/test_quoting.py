import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.text.quoting import MOST_QUOTED, condensed, quote, shortened


@pytest.mark.parametrize(("value", "text"), [("deep", "'deep'"), (3.0, "3.0"), ([1, 2], "[1, 2]"), (None, "None")])
def test_what_is_short_is_shown_as_it_is(value, text):
    assert quote(value) == text


@given(st.text() | st.integers() | st.lists(st.integers()) | st.builds(lambda letter, n: letter * n, st.characters(), st.integers(0, 9000)))
def test_a_quotation_is_one_short_line(value):
    assert len(quote(value)) <= MOST_QUOTED
    assert len(quote(value).splitlines()) == 1


def test_an_integer_that_python_refuses_to_write():
    assert quote(10**5000) == f"an integer of more than {MOST_QUOTED} digits"


def test_both_ends_are_kept():
    text = shortened("a" * 100 + "middle" + "z" * 100)
    assert len(text) == MOST_QUOTED
    assert text.startswith("aaa")
    assert text.endswith("zzz")
    assert "…" in text


def test_a_message_repeats_no_more_of_the_command_line():
    spoken = "depth=" + "very long " * 500
    message = condensed(f"argument N: invalid int value: {spoken.partition('=')[2]!r}; see --help", [spoken])
    assert len(message) < 2 * MOST_QUOTED
    assert message.startswith("argument N: invalid int value: 'very long")
    assert message.endswith("; see --help")
    assert len(condensed("unknown x" + "y" * 5000)) < 2 * MOST_QUOTED


def test_a_path_that_is_there_is_left_whole(tmp_path):
    folder = tmp_path / ("long" * 20) / ("deep" * 20)
    folder.mkdir(parents=True)
    assert condensed(f"cannot write {folder / 'x.html'}: no", [str(folder)]) == f"cannot write {folder / 'x.html'}: no"
    lost = str(folder / "lost" / "x.html")
    assert lost not in condensed(f"{lost} does not exist", [lost])
