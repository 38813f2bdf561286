"""Rows that go in by columns come out as the table that the same rows make at once."""

import math
from typing import Any

import pandas as pd
import pytest

from bpcore.measure.columns import ColumnError
from experiments.store.columns import RUN_RESULTS
from experiments.store.rows import Rows, by_columns
from experiments.store.tables import runs_frame


def row(run_id: str, **values: Any) -> dict[str, Any]:
    results = {name: math.nan if column.kind == "number" else None for name, column in RUN_RESULTS.items()}
    return {"run_id": run_id, "depth": 2, "width": 8, "lr": 0.1, "init": "he", "init.scale": 1.0, **results, "status": "ok", **values}


PARTS = [
    [row("a", final_loss=1.5, verdict_reason="δ", nonfinite_layer=3), row("b", final_loss=-0.0, width="[8, 4]")],
    [row("c", init="zeros", width=4, batch_size=None, **{"init.mode": "fan_in"}), row("d", batch_size=16)],
    [row("e", lr=math.nan, verdict_reason=None, init="orthogonal")],
]


def frame(parts: list[list[dict[str, Any]]], places: list[tuple[str, int]]) -> pd.DataFrame:
    rows = Rows()
    for part in parts:
        rows.add(by_columns(part))
    return rows.frame(places)


def at_once(rows: dict[str, dict[str, Any]], places: list[tuple[str, int]]) -> pd.DataFrame:
    ordered = [{**rows[run_id], "job": place} for run_id, place in places if run_id in rows]
    return runs_frame([{"run_id": row["run_id"], "job": row["job"], **row} for row in ordered])


@pytest.mark.parametrize("order", ["abcde", "edcba", "cbxad", "e"])
@pytest.mark.parametrize("cuts", [PARTS, PARTS[::-1], [[row] for part in PARTS for row in part]])
def test_the_table_does_not_depend_on_the_parts(order: str, cuts: list[list[dict[str, Any]]]) -> None:
    places = [(run_id, 10 + place) for place, run_id in enumerate(order)]
    expected = at_once({row["run_id"]: row for part in cuts for row in part}, places)
    found = frame(cuts, places)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert repr(found["final_loss"].tolist()) == repr(expected["final_loss"].tolist())


def test_of_two_rows_of_a_run_the_last_counts() -> None:
    again = row("b", final_loss=7.0, **{"clip.threshold": 2.0})
    parts, places = [*PARTS, [again]], [("a", 0), ("b", 1)]
    pd.testing.assert_frame_equal(frame(parts, places), at_once({"a": PARTS[0][0], "b": again}, places), check_exact=True)
    assert frame(parts, [("a", 0)]).columns.isin(["clip.threshold"]).sum() == 0


def test_a_table_that_was_read_goes_in_like_a_part() -> None:
    places = [(run_id, place) for place, run_id in enumerate("abcde")]
    expected = frame(PARTS, places)
    rows = Rows()
    rows.add({str(name): values for name, values in expected.to_dict("list").items()})
    pd.testing.assert_frame_equal(rows.frame(places), expected, check_exact=True)


def test_rows_without_a_result_are_an_error_of_the_program() -> None:
    lacking = {name: values for name, values in by_columns(PARTS[0]).items() if name != "skill"}
    rows = Rows()
    rows.add(lacking)
    with pytest.raises(ColumnError, match="skill"):
        rows.frame([("a", 0)])
