import pandas as pd
import pytest

import experiments
from experiments.errors import UserError
from experiments.store.columns import TABLES
from experiments.store.reading import load
from tests.experiments.helpers import sweep


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    return sweep(folder, "depth=2,3", "activation=tanh,leaky_relu", "clip=none,norm", "normalization=batch", "steps=3", "record.every=2")


class TestLoad:
    def test_it_is_the_public_entry(self, results):
        again = experiments.load(str(results.path))
        pd.testing.assert_frame_equal(again.runs, results.runs)
        assert again.provenance["command"] == "test"

    def test_a_missing_folder(self, tmp_path):
        with pytest.raises(UserError, match="does not exist"):
            load(tmp_path / "none")

    def test_a_folder_of_something_else(self, tmp_path):
        with pytest.raises(UserError, match=r"no results folder.*runs\.parquet"):
            load(tmp_path)

    @pytest.mark.parametrize("name", ["runs", *TABLES])
    def test_a_damaged_table(self, results, tmp_path, name):
        for path in results.path.iterdir():
            (tmp_path / path.name).write_bytes(path.read_bytes())
        damaged = tmp_path / f"{name}.parquet"
        damaged.write_bytes(damaged.read_bytes()[:100])
        with pytest.raises(UserError, match=rf"cannot read .*{name}\.parquet.*--fresh") as caught:
            load(tmp_path)
        assert "\n" not in str(caught.value)

    def test_a_table_of_something_else(self, results, tmp_path):
        for path in results.path.iterdir():
            (tmp_path / path.name).write_bytes(path.read_bytes())
        pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "runs.parquet")
        with pytest.raises(UserError, match=r"runs\.parquet lacks the column `run_id`"):
            load(tmp_path)

    @pytest.mark.parametrize("junk", ["", "[]", "null", '{"sweep": [1]}', '{"sweep": null}', "{"])
    def test_a_damaged_provenance(self, results, tmp_path, junk):
        for path in results.path.iterdir():
            (tmp_path / path.name).write_bytes(path.read_bytes())
        (tmp_path / "provenance.json").write_text(junk)
        with pytest.raises(UserError, match=r"provenance.*--fresh") as caught:
            load(tmp_path)
        assert "\n" not in str(caught.value)

    def test_rows_without_a_run_are_left_out(self, results, tmp_path):
        for path in results.path.iterdir():
            (tmp_path / path.name).write_bytes(path.read_bytes())
        results.runs.iloc[:1].to_parquet(tmp_path / "runs.parquet")
        assert set(load(tmp_path).layers["run_id"]) == {results.runs["run_id"].iloc[0]}
