"""The one list of columns: both sides of every table are held to it."""

import numpy as np
import pandas as pd
import pytest

from bpcore.measure import columns as measured
from bpcore.measure.columns import Column, ColumnError
from experiments.compose.composition import compose, runs_of
from experiments.errors import UserError
from experiments.store.assembling import FileSource
from experiments.store.columns import KEYS, LAYERS, RUN_RESULTS, STEPS, TABLES
from experiments.store.comparing import COUNTED, SIGNED
from experiments.store.parts import PART_SCHEMAS
from experiments.store.reading import load, read_table
from experiments.store.tables import SCHEMAS, runs_frame
from experiments.sweep import tile
from tests.experiments.helpers import TINY, sweep


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
        stored = {"number": "float64", "whole": "int64", "truth": "bool", "word": "str"}
        for name, columns in TABLES.items():
            frame = read_table(made, name)
            assert {column: str(dtype) for column, dtype in frame.dtypes.items()} == {c.name: stored[c.kind] for c in columns.values()}

    def test_how_differences_are_counted_is_declared_with_the_column(self):
        assert {"z_mean", "a_mean", "gradient_cosine", "mode_1", "mode_2", "mode_3", "mode_4"} == SIGNED
        assert {"accuracy", "final_accuracy", "test_accuracy", "saturated", "dead", "zero"} == COUNTED


def layers(rows=2):
    return {field.name: np.zeros(rows) if str(field.type) == "double" else np.zeros(rows, dtype=int) for field in PART_SCHEMAS["layers"]}


class TestTile:
    def test_a_column_that_is_not_there(self):
        tile._arrow("layers", layers())
        for name in layers():
            with pytest.raises(ColumnError, match=f"column `{name}` of layers is declared, but the tile does not make it"):
                tile._arrow("layers", {key: values for key, values in layers().items() if key != name})

    def test_a_column_that_is_not_declared(self):
        with pytest.raises(ColumnError, match="column `curl` of layers is made by the tile, but not declared"):
            tile._arrow("layers", layers() | {"curl": np.zeros(2)})

    @pytest.mark.parametrize(
        ("change", "fault"),
        [
            ({"skill": Column("skill", "of nothing")}, "`skill` of runs is declared, but the tile does not make it"),
            ({"final_loss": None}, "`final_loss` of runs is made by the tile, but not declared"),
        ],
        ids=["more", "fewer"],
    )
    def test_a_result_that_one_side_lacks(self, tmp_path, monkeypatch, change, fault):
        composed = compose([], [*TINY, f"results_dir={tmp_path}", "depth=2", "steps=0"])
        jobs, _ = runs_of(composed)
        monkeypatch.setattr(tile, "RUN_RESULTS", {name: column for name, column in (RUN_RESULTS | change).items() if column is not None})
        with pytest.raises(ColumnError, match=f"column {fault}"):
            tile.run_tile(jobs)

    def test_a_sweep_says_which_column_is_lacking(self, tmp_path, monkeypatch):
        monkeypatch.setattr(tile, "PREDICTED", Column("guess", "of nothing"))
        runs = sweep(tmp_path, "depth=2", "steps=0", multirun=False).runs
        assert runs["status"].tolist() == ["failed"]
        assert "column `delta_norm_theory` of layers is declared, but the tile does not make it" in runs["error"][0]


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
        lost = list(RUN_RESULTS if name == "runs" else SCHEMAS[name].names)[-1]
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
