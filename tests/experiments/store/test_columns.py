"""The one list of columns: both sides of every table are held to it."""

import pandas as pd
import pytest

from bpcore.measure import columns as measured
from bpcore.measure.columns import ColumnError
from experiments.errors import UserError
from experiments.store.assembling import FileSource
from experiments.store.columns import KEYS, LAYERS, RUN_RESULTS, STEPS, TABLES
from experiments.store.comparing import COUNTED, SIGNED
from experiments.store.reading import load, read_table
from experiments.store.tables import SCHEMAS, runs_frame
from tests.experiments.helpers import sweep


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return sweep(tmp_path_factory.mktemp("made"), "depth=2", "steps=1", multirun=False).path


@pytest.fixture
def folder(made, tmp_path):
    for path in made.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


class TestTheList:
    def test_every_measured_column_has_a_place_in_its_table(self):
        assert [name for name in LAYERS if name != "delta_norm_theory"] == ["step", "layer", *(c.name for c in measured.LAYERS)]
        assert list(STEPS) == ["step", *(c.name for c in measured.STEPS)]

    def test_what_a_file_holds_is_what_is_declared(self, made):
        word = str(pd.Series(["a"]).dtype)  # str, and object before pandas 3
        stored = {"number": "float64", "whole": "int64", "truth": "bool", "word": word}
        for name, columns in TABLES.items():
            frame = read_table(made, name)
            assert {column: str(dtype) for column, dtype in frame.dtypes.items()} == {c.name: stored[c.kind] for c in columns.values()}

    def test_how_differences_are_counted_is_declared_with_the_column(self):
        assert {"z_mean", "a_mean", "gradient_cosine", "mode_1", "mode_2", "mode_3", "mode_4"} == SIGNED
        assert {"accuracy", "final_accuracy", "test_accuracy", "saturated", "dead", "equal_units", "zero"} == COUNTED


def test_a_run_without_a_result_makes_no_table():
    row = {"run_id": "a", "job": 0, **dict.fromkeys(RUN_RESULTS)}
    assert list(runs_frame([row]).columns) == list(row)
    del row["delta_factor_hi"]
    with pytest.raises(ColumnError, match="column `delta_factor_hi` of runs is declared"):
        runs_frame([row])


def readers(folder, name):
    """Return everything that reads a table of a folder; the runs table has no rows of runs to be taken from."""
    long = [lambda: FileSource(folder, name)] if name in TABLES else []
    return [lambda: read_table(folder, name), lambda: load(folder), *long]


class TestFiles:
    @pytest.mark.parametrize("name", ["runs", *TABLES])
    def test_a_column_is_missing(self, folder, name):
        frame = pd.read_parquet(folder / f"{name}.parquet")
        lost = "delta_factor_theory" if name == "runs" else list(SCHEMAS[name].names)[-1]  # one that the first edition had too
        frame.drop(columns=lost).to_parquet(folder / f"{name}.parquet")
        for read in readers(folder, name):
            with pytest.raises(UserError, match=rf"{name}\.parquet lacks the column `{lost}`; run the sweep again with --fresh"):
                read()

    @pytest.mark.parametrize("name", TABLES)
    def test_a_column_is_not_known(self, folder, name):
        pd.read_parquet(folder / f"{name}.parquet").assign(curl=0.0).to_parquet(folder / f"{name}.parquet")
        for read in readers(folder, name):
            with pytest.raises(UserError, match=rf"{name}\.parquet has the column `curl`, which this version does not know"):
                read()

    def test_the_runs_table_may_have_other_keys_of_the_configuration(self, folder):
        pd.read_parquet(folder / "runs.parquet").assign(curl=0.0).to_parquet(folder / "runs.parquet")
        assert load(folder).runs["curl"].tolist() == [0.0]


def test_keys_stand_first():
    for columns in TABLES.values():
        assert list(columns)[: len(KEYS)] == list(KEYS)
