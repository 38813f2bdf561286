from pathlib import Path

import numpy as np
import pytest

from experiments.datasets.reading import read
from experiments.errors import UserError
from tests.experiments.datasets.tables import flats, written


@pytest.mark.parametrize(
    ("name", "target", "features", "words"),
    [
        ("flats.cvs", ["price"], None, "there is no file .*flats.cvs; did you mean .*flats.csv"),
        ("nowhere/flats.csv", ["price"], None, "there is no file .*paths count from"),
        (".", ["price"], None, "`data.path` must be a file, got the folder"),
        ("sheet.xlsx", ["price"], None, "unknown format, .xlsx; save the sheet as CSV"),
        ("noending", ["price"], None, "unknown format, without an ending; expected .csv, "),
        ("flats.csv", None, None, "`data.target` must name a column of .*area, rooms, kind, price"),
        ("flats.csv", ["prize"], None, "`data.target`: .* has no column 'prize'; did you mean 'price'"),
        ("flats.csv", ["price", "price"], None, "`data.target` must name each column once, got 'price' twice"),
        ("flats.csv", ["price"], ["area", "room"], "`data.features`: .* has no column 'room'; did you mean 'rooms'"),
        ("flats.csv", ["price"], ["area", "price"], "`data.features` must not hold the target 'price'"),
        ("flats.csv", ["price"], ["area", "area"], "`data.features` must name each column once"),
        ("twice.csv", ["b"], None, "several columns named 'a'"),
        ("alone.csv", ["a"], None, "no column beside the target"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(tmp_path: Path, name: str, target: list[str], features: list[str], words: str) -> None:
    flats(tmp_path)
    written(tmp_path / "twice.csv", "a,a,b", ["1,2,3"])
    written(tmp_path / "alone.csv", "a", ["1"])
    for other in ("sheet.xlsx", "noending"):
        (tmp_path / other).write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=words) as error:
        read(tmp_path / name, target, features, None, 0)
    assert "\n" not in str(error.value)


def test_an_index_without_a_name_is_left_out_and_said(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", ",a,y", ["0,5,1", "1,6,2"])
    found = read(path, ["y"], None, None, 0)
    assert found.features == ["a"]
    assert found.notes == ["column 1 has no name (an index?) and is left out"]


def test_only_the_columns_that_are_wanted_are_read(tmp_path: Path) -> None:
    found = read(flats(tmp_path), ["price"], ["rooms"], None, 0)
    assert list(found.columns) == ["price", "rooms"]
    assert found.rows == 120


def test_an_npz_knows_its_target(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 3)), y=np.arange(8).reshape(4, 2))
    found = read(tmp_path / "a.npz", None, None, None, 0)
    assert (found.targets, found.features) == (["y0", "y1"], ["x0", "x1", "x2"])
