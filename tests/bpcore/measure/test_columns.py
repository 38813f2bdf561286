"""A column that one side lacks is an error that names it, and never an empty column."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bpcore import training
from bpcore.measure import recorder
from bpcore.measure.columns import LAYERS, STEPS, Column, ColumnError, agree
from bpcore.measure.recording import Recording
from tests.bpcore.runs import run, stack, train_one

PROBED = frozenset({"extended", "gradient_cosine", "a_rank"})


def test_both_sides_are_compared() -> None:
    agree("t", ("a", "b"), {"b": 1, "a": 2}, "nobody")
    with pytest.raises(ColumnError, match="column `b` of t is declared, but nobody does not make it"):
        agree("t", ("a", "b"), ["a"], "nobody")
    with pytest.raises(ColumnError, match="column `c` of t is made by nobody, but not declared"):
        agree("t", ("a", "b"), ["a", "b", "c"], "nobody")


@pytest.mark.parametrize("table", [LAYERS, STEPS], ids=["layers", "steps"])
def test_a_name_stands_once(table: tuple[Column, ...]) -> None:
    assert len({column.name for column in table}) == len(table)
    assert all(column.text for column in table)


def without(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: {key: value for key, value in function(*args).items() if key != name}


def with_more(function: Callable[..., Any]) -> Callable[..., Any]:
    def more(*args: Any) -> Any:
        columns = function(*args)
        return columns | {"surplus": next(iter(columns.values()))}

    return more


MAKERS = [
    (recorder, "norm_columns", "delta_rms", "layers", {}),
    (training, "costly_columns", "a_var", "layers", {}),
    (training, "costly_columns", "equal_units", "layers", {}),
    (training, "costly_columns", "zero", "layers", {}),
    (training, "probe_layers", "a_rank", "layers", {"probes": PROBED}),
    (training, "probe_layers", "gradient_cosine", "layers", {"probes": PROBED}),
    (training, "mode_columns", "mode_2", "steps", {"modes": True}),
]


def settings(recording: dict[str, Any]) -> Any:
    return stack("identity", loss="mse", depth=2, steps=2, **recording)


@pytest.mark.parametrize(("module", "maker", "name", "table", "recording"), MAKERS)
def test_a_column_that_is_declared_and_not_made(
    monkeypatch: pytest.MonkeyPatch, module: Any, maker: str, name: str, table: str, recording: dict[str, Any]
) -> None:
    train_one(settings(recording))
    monkeypatch.setattr(module, maker, without(name, getattr(module, maker)))
    with pytest.raises(ColumnError, match=f"column `{name}` of {table} is declared, but"):
        train_one(settings(recording))


@pytest.mark.parametrize(("module", "maker", "name", "table", "recording"), MAKERS)
def test_a_column_that_is_made_and_not_declared(
    monkeypatch: pytest.MonkeyPatch, module: Any, maker: str, name: str, table: str, recording: dict[str, Any]
) -> None:
    monkeypatch.setattr(module, maker, with_more(getattr(module, maker)))
    with pytest.raises(ColumnError, match=f"column `surplus` of {table} is made by .*, but not declared"):
        train_one(settings(recording))


@pytest.mark.parametrize("table", ["LAYERS", "STEPS"])
def test_an_entry_without_a_function(monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    monkeypatch.setattr(recorder, table, (*getattr(recorder, table), Column("surplus", "of nothing")))
    with pytest.raises(ColumnError, match=f"column `surplus` of {table.lower()} is declared, but"):
        train_one(settings({}))


@pytest.mark.parametrize(
    ("lost", "fault"), [(1, "not measured at step 1, where it is declared to stand"), (None, None)], ids=["lost", "whole"]
)
def test_full_columns_stand_in_every_row(monkeypatch: pytest.MonkeyPatch, lost: int | None, fault: str | None) -> None:
    original = recorder.Recorder.stand

    def fewer(self: Any, present: Any, names: Any, columns: dict[str, Any]) -> None:
        original(self, present, names, {name: given & (np.arange(given.shape[1]) != lost) for name, given in columns.items()})

    monkeypatch.setattr(recorder.Recorder, "stand", fewer)
    if fault is None:
        train_one(settings({"full": True}))
        return
    with pytest.raises(ColumnError, match=f"was {fault}"):
        train_one(settings({"full": True}))


def test_full_columns_stand_at_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "costly_columns", without("zero", training.costly_columns))
    with pytest.raises(ColumnError, match="column `zero` of layers was not measured at step 0, where it is declared to stand"):
        train_one(settings({"full": True}))


def test_a_light_recording_that_loses_its_last_row(monkeypatch: pytest.MonkeyPatch) -> None:
    lose(monkeypatch, {0})
    with pytest.raises(ColumnError, match="column `z_mean` of layers was not measured at step 2, where it is declared to stand"):
        train_one(settings({}))


def test_a_row_that_is_declared_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    original = recorder.Recorder.add

    def more(self: Any, step: int, mask: Any, norms: Any, row: Any) -> None:
        original(self, step, mask, norms, row)
        self.add_columns(1, mask, {"a_var": np.zeros(norms.shape[1:])})

    monkeypatch.setattr(recorder.Recorder, "add", more)
    with pytest.raises(ColumnError, match="column `a_var` of layers was measured at step 1, where it is declared to be empty"):
        train_one(settings({}))


def lose(monkeypatch: pytest.MonkeyPatch, kept: set[int]) -> None:
    """Let the recorder be given costly columns at some steps only."""
    original = recorder.Recorder.add_columns

    def fewer(self: Any, step: int, mask: Any, columns: Any) -> None:
        if step in kept:
            original(self, step, mask, columns)

    monkeypatch.setattr(recorder.Recorder, "add_columns", fewer)


def test_a_run_that_diverges_between_two_rows_has_its_costly_columns_there() -> None:
    record = train_one(stack("identity", loss="mse", steps=1000, every=1000), run(lr=10.0))
    assert record.diverged_at_step not in (None, 0, 1000)
    last = record.layers["step"] == record.diverged_at_step
    assert (record.layers["layer"][last] == np.arange(4)).all()
    assert not np.isnan(record.layers["zero"][last]).any()


@pytest.mark.parametrize("column", [*LAYERS, *STEPS], ids=lambda column: column.name)
def test_what_is_not_asked_for_is_empty_in_every_row(column: Column) -> None:
    plain = train_one(settings({}))
    values = (plain.layers if column in LAYERS else plain.steps)[column.name]
    hidden = plain.layers["layer"] > 0
    rows = values[hidden & (plain.layers["step"] < 2)] if column in LAYERS else values
    if not column.asked(Recording()):
        assert np.isnan(values).all()
    elif column.recorded == "full":
        assert np.isnan(values[plain.layers["step"] == 1]).all()
        assert not np.isnan(values[hidden & (plain.layers["step"] == 0)]).any()
    else:
        assert not np.isnan(rows).any()
