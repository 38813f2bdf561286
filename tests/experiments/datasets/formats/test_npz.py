from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.datasets.formats.npz import Npz
from experiments.errors import UserError


def test_columns_are_those_of_x_and_y(tmp_path: Path) -> None:
    x, y = np.arange(12.0).reshape(4, 3), np.array(["u", "v", "u", "v"])
    np.savez_compressed(tmp_path / "a.npz", x=x, y=y)
    source = Npz(tmp_path / "a.npz")
    assert (source.names, source.targets, source.rows()) == (["x0", "x1", "x2", "y"], ["y"], 4)
    assert source.read(["y", "x1"], None)["x1"].to_pylist() == [1, 4, 7, 10]
    assert source.read(["y", "x1"], np.array([1, 3]))["y"].to_pylist() == ["v", "v"]
    assert source.place(2) == "row 3 (x[2])"


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "uint8", "bool", "S3"])
def test_dtypes(tmp_path: Path, dtype: str) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((2, 1), dtype=dtype), y=np.arange(2))
    assert len(Npz(tmp_path / "a.npz").read(["x0"], None)["x0"]) == 2


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"X": np.zeros((2, 1)), "y": np.zeros(2)}, "has no array 'x'; it has X, y"),
        ({"x": np.zeros((2, 1))}, "has no array 'y'"),
        ({"x": np.zeros((1, 2)), "y": np.zeros(2)}, r"expected x of shape \(m, n\).* got \(1, 2\) and \(2,\).*examples in rows"),
        ({"x": np.zeros((2, 1, 1)), "y": np.zeros(2)}, r"expected x of shape"),
        ({"x": np.zeros((0, 1)), "y": np.zeros(0)}, "is empty"),
        ({"x": np.array([[1, None]]), "y": np.zeros(1)}, "x must hold numbers or words, got dtype object"),
        ({"x": np.zeros((2, 1), complex), "y": np.zeros(2)}, "x must hold numbers or words, got dtype complex128"),
    ],
)
def test_wrong_arrays_are_refused(tmp_path: Path, arrays: dict[str, Any], words: str) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(UserError, match=words) as error:
        Npz(tmp_path / "a.npz")
    assert "\n" not in str(error.value)


def test_what_is_no_npz_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_text("nothing")
    with pytest.raises(UserError, match=r"cannot read .*numpy\.savez"):
        Npz(tmp_path / "a.npz")
