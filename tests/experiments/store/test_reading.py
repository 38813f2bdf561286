import shutil

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import experiments
from bpcore.measure.columns import FIRST
from experiments.cli import main
from experiments.errors import UserError
from experiments.store.assembling import FileSource
from experiments.store.columns import RUN_RESULTS, TABLES
from experiments.store.parts import PART_SCHEMAS
from experiments.store.reading import _with_later_keys, load, read_table
from tests.experiments.helpers import sweep


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    return sweep(folder, "depth=2", "activation=tanh,leaky_relu", "clip=none,norm", "normalization=batch", "steps=3", "record.every=2")


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


@pytest.fixture
def first_edition(results, tmp_path):
    """Return the folder as the first edition left one: without what is recorded since."""
    folder = shutil.copytree(results.path, tmp_path / "old")
    for name, columns in {"runs": RUN_RESULTS, **TABLES}.items():
        table = pq.read_table(folder / f"{name}.parquet")
        since = [column.name for column in columns.values() if column.since > FIRST]
        whole = [column for column in since if column not in ("dead", "saturated")]  # which it had, in fewer rows
        pq.write_table(table.drop_columns(whole), folder / f"{name}.parquet")
    return folder


class TestFirstEdition:
    def test_what_is_recorded_since_is_empty(self, results, first_edition):
        old = load(first_edition)
        assert old.runs["outcome"].isna().all()
        assert old.runs["skill"].isna().all()
        assert old.layers["equal_units"].isna().all()
        assert set(old.runs.columns) == set(results.runs.columns)
        assert {str(kind) for kind in old.runs[["skill", "nonfinite_layer"]].dtypes} == {"float64", "Int64"}

    def test_it_is_reported_and_shown(self, first_edition, capsys):
        assert main(["report", str(first_edition), "--formats", "svg"]) == 0
        assert main(["export", str(first_edition), "--json"]) == 0
        capsys.readouterr()

    def test_what_it_had_must_be_there(self, first_edition):
        table = pq.read_table(first_edition / "runs.parquet")
        pq.write_table(table.drop_columns(["final_loss"]), first_edition / "runs.parquet")
        with pytest.raises(UserError, match="lacks the column `final_loss`"):
            load(first_edition)

    def test_its_rows_stand_in_the_columns_of_today(self, results, first_edition):
        for name in TABLES:
            rows = FileSource(first_edition, name).rows(0, 3)
            assert rows.schema == PART_SCHEMAS[name]
            if name == "layers":
                assert np.isnan(rows["equal_units"].to_numpy()).all()
                assert rows["delta_norm"].to_pylist() == results.layers["delta_norm"][:3].tolist()


def test_runs_of_before_a_key_came_have_what_it_stands_for(tmp_path):
    sweep(tmp_path, "seed=0,1", "steps=1")
    path = tmp_path / "sweep" / "runs.parquet"
    whole = pd.read_parquet(path)
    stranger = whole.assign(loss=["softmax_cross_entropy", "one_of_my_own"], **{"loss.reduction": None})
    for frame, second in (
        (whole.drop(columns=["loss.reduction", "record.test"]), "sum_outputs"),
        (whole.assign(**{"loss.reduction": [None, "mean"]}), "mean"),
        (stranger, None),
    ):
        frame.to_parquet(path)
        runs = read_table(path.parent, "runs")
        assert runs["record.test"].tolist() == [False, False]
        assert runs["loss.reduction"].fillna("–").tolist() == ["sum_outputs", second or "–"]


def test_runs_of_before_there_were_schedules_and_names_of_today_read_as_later_ones(tmp_path):
    whole = sweep(tmp_path, "init=he,xavier", "clip=per_layer", "steps=0").runs
    keys = ("init.mode", "init.mean", "init.bias_distribution")
    mine = [name for name in whole.columns if name.startswith(("schedule", "dropout", "parametrization")) or name in keys]
    assert len(mine) == 8
    before = whole.drop(columns=mine).assign(clip="layer_norm")
    pd.testing.assert_frame_equal(_with_later_keys(before)[whole.columns], whole, check_dtype=False)
    assert whole["init.mode"].tolist()[0] == "fan_in"
    assert whole["init.mode"].isna().tolist() == [False, True]
