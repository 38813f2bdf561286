"""The record keys through the whole harness: what is asked for stands in the tables, and what is not stays empty."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from experiments.compose.composition import compose
from experiments.config.files import choice
from experiments.config.keys import Record
from experiments.config.validation import validate
from experiments.errors import UserError
from tests.experiments.conftest import made

MODES = ["mode_1", "mode_2", "mode_3", "mode_4", "singular_value_max", "singular_value_min"]

LINEAR = ["activation=identity", "loss=mse", "data=modes"]


@pytest.mark.parametrize("name", ["light", "full"])
def test_the_files_list_every_key_with_its_default(name):
    node = choice("record", name)
    defaults = {field.name: field.default for field in fields(Record)} | {"name": name}
    assert node == defaults


def test_every_key_fills_its_columns_and_no_other(base, tmp_path):
    columns = {"gradient_cosine": "gradient_cosine", "a_rank": "a_rank", "sharpness": "sharpness", "modes": "mode_1"}
    for asked in (("gradient_cosine", "sharpness"), ("a_rank", "modes")):  # `test` needs test examples: below
        keys = [f"record.{key}=true" for key in asked]
        results = made(base, tmp_path / asked[0], [*LINEAR, "depth=1", "width=3", "steps=1", *keys])
        for key, column in columns.items():
            frame = results.layers if column in results.layers else results.steps
            assert frame[column].notna().all() if key in asked else frame[column].isna().all(), (asked, column)


def test_modes_start_and_learn(base, tmp_path):
    results = made(
        base,
        tmp_path / "modes",
        [*LINEAR, "init=orthogonal", "depth=1", "width=16", "lr=0.1", "steps=400", "record.every=400", "record.modes=true"],
    )
    steps = results.steps.set_index("step")
    assert steps.loc[0, ["singular_value_max", "singular_value_min"]].tolist() == pytest.approx([1, 1], rel=1e-12)
    np.testing.assert_allclose(steps.loc[400, MODES[:4]].astype(float), [4, 3, 2, 1], rtol=1e-6)
    assert results.steps["accuracy"].isna().all()  # several outputs, but no classes
    assert results.runs[["final_accuracy", "test_accuracy"]].isna().all(axis=None)


def test_extended_range_reaches_where_numbers_end(base, tmp_path):
    results = made(base, tmp_path / "extended", ["activation=sigmoid", "depth=100", "dtype=float32", "steps=0", "record.extended=true"])
    first = results.layers.set_index("layer").loc[1]
    assert first["delta_norm"] == 0
    assert first["zero"] == 1
    assert -90 < first["log10_delta_norm"] < -50
    assert results.runs["verdict"].tolist() == ["underflowed"]


TESTED = ["depth=2", "width=8", "steps=6", "record.every=2", "batch_size=20"]


@pytest.mark.parametrize("normalization", ["none", "batch"])
def test_the_test_examples_are_evaluated_at_every_row_and_nothing_else_changes(base, tmp_path, normalization):
    words = [*TESTED, f"normalization={normalization}"]
    plain, tested = (made(base, tmp_path / name, [*words, f"record.test={name}"]) for name in ("false", "true"))
    columns = ["test_loss", "test_accuracy"]
    assert plain.steps[columns].isna().all(axis=None)
    assert tested.steps[columns].notna().all(axis=None)
    assert tested.steps["test_loss"].nunique() == 4
    assert tested.steps[columns].iloc[-1].tolist() == tested.runs[columns].iloc[0].tolist() == plain.runs[columns].iloc[0].tolist()
    assert ((tested.steps["test_accuracy"] >= 0) & (tested.steps["test_accuracy"] <= 1)).all()
    rest = [column for column in plain.steps.columns if column not in ("run_id", *columns)]
    pd.testing.assert_frame_equal(plain.steps[rest], tested.steps[rest])


def test_the_test_loss_of_a_row_is_that_of_a_run_that_ends_there(base, tmp_path):
    longer = made(base, tmp_path / "longer", [*TESTED, "record.test=true"])
    for step in (0, 2, 4):
        words = [word for word in TESTED if not word.startswith("steps")]
        ends = made(base, tmp_path / str(step), [*words, f"steps={step}"])
        row = longer.steps.set_index("step").loc[step]
        assert row["test_loss"] == ends.runs["test_loss"].iloc[0]
        assert row["test_accuracy"] == ends.runs["test_accuracy"].iloc[0]


def test_runs_are_tested_alike_alone_and_stacked_and_without_what_diverged(base, tmp_path):
    words = [*TESTED, "record.test=true"]
    together = made(base, tmp_path / "together", [*words, "lr=0.1,1.0e+308", "seed=0,1"])
    alone = made(base, tmp_path / "alone", [*words, "lr=0.1", "seed=1"])
    steps = together.steps[together.steps["run_id"] == alone.runs["run_id"].iloc[0]].reset_index(drop=True)
    assert steps["test_loss"].tolist() == alone.steps["test_loss"].tolist()
    assert set(together.runs["status"]) == {"ok", "diverged"}


def test_without_test_examples_there_is_nothing_to_test():
    with pytest.raises(UserError, match=r"`record\.test` needs test examples, but data=line has none; leave record\.test out"):
        validate(compose([], ["data=line", "loss=mse", "record.test=true"])[0].config)
