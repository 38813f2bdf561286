from pathlib import Path

import numpy as np
import pytest

from experiments.datasets.formats.delimited import Delimited
from experiments.errors import UserError

ROWS = [["a", "b", "y"], ["1", "x z", "3"], ["4", "", "6"]]


def cells(source: Delimited) -> list[list[str]]:
    columns = source.read(source.names, None)
    return [source.names, *(list(row) for row in zip(*(columns[name].to_pylist() for name in source.names), strict=True))]


def put(folder: Path, content: str | bytes, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def text(separator: str, end: str = "\n") -> str:
    return end.join(separator.join(row) for row in ROWS) + end


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (text(","), None),
        (text(",", "\r\n"), None),
        (text(",")[:-1], None),
        ("\n\n" + text(",").replace("\n", "\n\n"), None),
        (text(";"), "columns are separated by semicolons"),
        (text("\t"), "columns are separated by tabs"),
        (text("|"), "columns are separated by bars"),
        (text(",").encode("utf-8-sig"), None),
        (text(";").encode("utf-16"), "columns are separated by semicolons"),
        (text(",").replace("x z", '"x z"'), None),
    ],
)
def test_it_is_read_whatever_the_separator_the_line_ends_and_the_marks(tmp_path: Path, content: str | bytes, note: str | None) -> None:
    source = Delimited(put(tmp_path, content))
    assert cells(source) == ROWS
    assert source.notes == ([] if note is None else [note])
    assert source.exact_rows() == 2


def test_letters_of_old_windows_files_are_read_and_said(tmp_path: Path) -> None:
    source = Delimited(put(tmp_path, "größe,y\n1,2\n".encode("cp1252")))
    assert source.names == ["größe", "y"]
    assert source.notes == ["text is read as Windows-1252, since it is no UTF-8"]


def test_quotes_hold_separators_and_ends_of_lines(tmp_path: Path) -> None:
    source = Delimited(put(tmp_path, 'a,"b\nc",y\n1,"u\nv",3\n\n4,"p,q",6\n'))
    assert cells(source) == [["a", "b\nc", "y"], ["1", "u\nv", "3"], ["4", "p,q", "6"]]
    assert (source.place(0), source.place(1)) == ("row 1 (line 4)", "row 2 (line 6)")


def test_chosen_rows(tmp_path: Path) -> None:
    source = Delimited(put(tmp_path, "a,b\n" + "".join(f"{i},{-i}\n" for i in range(50))))
    found = source.read(["b"], np.array([0, 7, 49]))
    assert found["b"].to_pylist() == ["0", "-7", "-49"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty; expected a line of column names"),
        (" \n\n", "is empty; expected a line of column names"),
        ("a,b", "no row below"),
        ("a,b\n\n", "no row below"),
        ("1,2\n3,4\n", "line 1 must name the columns, but holds numbers, '1,2'"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        Delimited(put(tmp_path, content))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a,b,y\n1,2,3\n4,5\n", r"row 2 \(line 3\) has 2 cells, the header 3; complete the line"),
        ("a,b,y\n\n1,2,3,4\n", r"row 1 \(line 3\) has 4 cells, the header 3"),
        ("a,b,y\n1\n", r"row 1 \(line 2\) has 1 cell, the header 3"),
        ('a,b,y\n1,2,3\n4,"5,6\n', r"row 2 \(line 3\) has 2 cells"),
    ],
)
def test_a_ragged_row_is_named(tmp_path: Path, content: str, words: str) -> None:
    source = Delimited(put(tmp_path, content))
    with pytest.raises(UserError, match=words) as error:
        source.read(source.names, None)
    assert "\n" not in str(error.value)
