from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.datasets.formats.parquet import Parquet
from experiments.errors import UserError


def test_columns_whole_and_at_chosen_rows(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(100) / 3, "b": [f"w{i}" for i in range(100)]})
    frame.to_parquet(tmp_path / "a.parquet", row_group_size=30)
    source = Parquet(tmp_path / "a.parquet")
    assert (source.names, source.rows(), source.place(4)) == (["a", "b"], 100, "row 5")
    assert source.read(["b"], None)["b"].to_pylist() == list(frame["b"])
    chosen = np.array([0, 29, 30, 99])
    assert source.read(["a", "b"], chosen)["a"].to_pylist() == frame["a"][chosen].tolist()


def test_an_index_has_no_name(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1, 2]}, index=[5, 9]).to_parquet(tmp_path / "a.parquet")
    assert Parquet(tmp_path / "a.parquet").names == ["a", ""]


def test_what_is_none_or_is_damaged_or_empty_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_text("a,b\n")
    with pytest.raises(UserError, match=r"cannot read .*expected a Parquet file"):
        Parquet(path)
    pd.DataFrame({"a": []}).to_parquet(path)
    with pytest.raises(UserError, match="is empty"):
        Parquet(path)
    pd.DataFrame({"a": np.random.default_rng(0).random(1000)}).to_parquet(path)
    raw = bytearray(path.read_bytes())
    raw[10:60] = bytes(50)
    path.write_bytes(raw)
    with pytest.raises(UserError, match=r"cannot read .*write it anew") as error:
        Parquet(path).read(["a"], None)
    assert "\n" not in str(error.value)
