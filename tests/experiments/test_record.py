"""The record keys through the whole harness: what is asked for stands in the tables, and what is not stays empty."""

from dataclasses import fields

import numpy as np
import pytest

from experiments.config.files import choice
from experiments.config.keys import Record
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
    for asked in (("gradient_cosine", "sharpness"), ("a_rank", "modes")):
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
